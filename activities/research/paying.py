"""What a research buys, and what it can cost."""

from collections.abc import Sequence

from activities.ports import LanguageModel, WebSearch
from activities.research import questions
from activities.research.economy import LONGEST, Thrift, Writer
from activities.research.ports import ask, look_up
from activities.spending import Purchase, Treasurer
from schemas.research import LookUp, Writing


def purchase(order: LookUp | Writing) -> Purchase:
    """An answer to a question about somebody, or to an ask for the brief."""
    purpose = ask(order.ask) if isinstance(order, Writing) else look_up(order.subject.subject_id, order.question)
    return Purchase(order.tenant_id, order.research_id, order.version, purpose)


def writers(treasurer: Treasurer, models: Sequence[LanguageModel]) -> list[LanguageModel]:
    """Those that may be asked, best first: the best must have a price, the others are left out without one."""
    treasurer.priced(models[0])
    return [one for one in models if treasurer.knows(one)]


def thrift(treasurer: Treasurer, search: WebSearch, models: Sequence[LanguageModel]) -> Thrift:
    """What a run can cost, before anything of it is known."""
    return Thrift(
        caps=treasurer.caps,
        look_up=treasurer.offer(search, search.size(questions.about(LONGEST, 2))),
        writers=tuple(
            Writer(one.name, one.model, treasurer.priced(one), one.most_tokens) for one in writers(treasurer, models)
        ),
    )
