"""What lets somebody into a meeting goes from its title, in the languages that invitations come in; nothing else does."""

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.plain import without_access
from activities.providers.google_events import read as read_event
from activities.research import drafts
from schemas.briefs import Campaign, Material
from starter import ics
from tests.web.samples import row

# What is in the title, and what of it a model may see.
INVITATIONS = {
    # English
    "Acme intro https://acme.zoom.us/j/81234567890?pwd=Q2hlY2s": "Acme intro",
    "Join Zoom Meeting: https://us02web.zoom.us/j/81234567890": "Join Zoom Meeting",
    "Weekly sync - meet.google.com/abc-defg-hij": "Weekly sync",
    "Acme <https://teams.microsoft.com/l/meetup-join/19%3ameeting_Zm> demo": "Acme demo",
    "Roadmap (https://acme.webex.com/acme/j.php?MTID=m0c1)": "Roadmap",
    "Roadmap | acme.webex.com/meet/ada": "Roadmap",
    "Meeting ID: 812 3456 7890 Passcode: 4x8Q2z": "",
    "Acme call, Meeting ID 345 678 901 23, Passcode aB3xYz": "Acme call",
    "Acme call (PIN 4711#)": "Acme call",
    "Acme call - access code: 889123#": "Acme call",
    "Acme call, password is tr0ub4dor": "Acme call",
    "Acme call - Password: swordfish": "Acme call",
    "Dial-in: +44 20 7946 0958,,81234567890#,,,,*4711# with Acme": "with Acme",
    "One tap mobile +16465588656,,81234567890#": "",
    "Call Ada at +1 (646) 558-8656 ext. 22": "Call Ada at",
    "Acme 646-558-8656,,812345#": "Acme",
    "Acme zoommtg://zoom.us/join?confno=123 tel:+441234567": "Acme",
    "Webinar ID: 912-3456-7890": "",
    "Conference ID: 123 456 789# / Acme": "Acme",
    "Review www.acme.example/board?token=s3cret": "Review",
    # German
    "Erstgespräch Muster AG, Kenncode: 4x8Q2z": "Erstgespräch Muster AG",
    "Erstgespräch, Einwahl: 069 7104 9922, PIN: 4711": "Erstgespräch",
    "Telefonkonferenz +49 (0) 69 71 04 99 22,,123456#": "Telefonkonferenz",
    "Besprechungs-ID: 345 678 901 23": "",
    "Abstimmung | Meeting-Kennnummer: 2345 678 9012 | Passwort: Sommer": "Abstimmung",
    "Termin, Zugangscode lautet 998877": "Termin",
    "Konferenz-ID 123456789# Jour fixe": "Jour fixe",
    # French
    "Réunion Dupont - Code d'accès : 889123": "Réunion Dupont",
    "Réunion Dupont, mot de passe : soleil": "Réunion Dupont",
    "ID de réunion : 812 3456 7890, code secret : 4x8Q2z": "",
    "Point hebdo, composer le 01 70 37 22 46, code PIN : 4711": "Point hebdo",
    "Identifiant de la réunion 345 678 901 23 Point": "Point",
    "Point, tél. : 01 70 37 22 46": "Point",
    # Spanish
    "Reunión con Soluciones, ID de reunión: 812 3456 7890": "Reunión con Soluciones",
    "Demo, contraseña: verano": "Demo",
    "Demo, código de acceso 889123": "Demo",
    "Demo - la clave de acceso es 4x8Q2z": "Demo - la",
    "Demo, llamar al 91 123 45 67, PIN 4711": "Demo",
    "Demo, clave: 998877": "Demo",
    # Others
    "Riunione Rossi, codice di accesso: 889123": "Riunione Rossi",
    "Reunião Silva, senha: verao1": "Reunião Silva",
    "Overleg, toegangscode: 889123": "Overleg",
}

ORDINARY = (
    *("Q3 review 2026", "Kick-off 12:30", "Room 4", "ISO 9001 audit", "Zoom in on pricing", "Teams of the future"),
    *("Password reset workshop", "PIN pads for the branches", "Access code review", "Meeting ID migration, part 2"),
    *("Passwort-Richtlinie 2026", "Mot de passe", "Palabras clave 2026", "Clave del proyecto"),
    *("iPhone 17 launch", "Mobile 2026 roadmap", "Phone 15 vs 16", "Boeing 737-800 and A320-200", "SAP S/4HANA 2023"),
    *("Xerox 9010 500 12", "Order 4500123456", "Invoice 2026-0011-4433", "RFC 9110, 9111 and 9112", "DIN EN 50128"),
    *("2026-11-22 14:00-15:30 Acme", "Phone call 22.11.2026", "Mobile 2026-11-22", "1:1 Ada / Kim", "C# & F# day"),
    *("Dial up the growth", "Telefon im Vertrieb", "Code 39 labels", "QR Code: v2", "ID badges 2026", "24/7 support"),
    *(
        "Budget 1.200.000 EUR",
        "10,000 m2 warehouse",
        "3 + 12345 is no number",
        "Negotiation with zoom.us",
        "Key: value",
    ),
    *("Ålesund – Bergen (dag 2)", "会议 2026", "Q&A: what is next?", "Join the pilot", "PIN", "Meeting", ""),
)


@pytest.mark.parametrize("title", INVITATIONS)
def test_what_lets_somebody_in_goes(title: str) -> None:
    assert without_access(title) == INVITATIONS[title]


@pytest.mark.parametrize("title", ORDINARY)
def test_an_ordinary_title_stays(title: str) -> None:
    assert without_access(title) == title


def test_a_title_of_any_length_is_read_at_once() -> None:
    for part in ("a.", "pin ", "1 ", "+1", "id: ", "((", "passcode:", "zoom.us/", "- ", "+1 (", "tel: 1-"):
        assert len(without_access(part * 2000)) <= 2000 * len(part)


LINK = "https://acme.zoom.us/j/81234567890?pwd=Q2hlY2s"
SECRETS = f"{LINK} PIN: 4711"


def test_a_calendar_s_title_is_read_without() -> None:
    event = {"id": "1", "summary": f"Acme {SECRETS}", "description": SECRETS, "location": SECRETS, "hangoutLink": "x"}
    event |= {"start": {"dateTime": "2026-11-22T10:00:00Z"}, "end": {"dateTime": "2026-11-22T11:00:00Z"}}
    read = read_event(event, "UTC")
    assert read is not None and read.title == "Acme"
    assert "4711" not in repr(read) and "zoom" not in repr(read)


def test_a_calendar_file_s_title_is_read_without_and_nothing_else_of_it_is_kept() -> None:
    lines = (
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", "BEGIN:VEVENT", "UID:1", f"SUMMARY:Acme {SECRETS}"),
        *(f"DESCRIPTION:{SECRETS}", f"LOCATION:{SECRETS}", f"URL:{LINK}", "DTSTART:20261122T100000Z"),
        *(f"X-GOOGLE-CONFERENCE:{LINK}", "DTEND:20261122T110000Z", "END:VEVENT", "END:VCALENDAR"),
    )
    day = datetime(2026, 11, 22, tzinfo=UTC)
    (read,) = ics.read("\r\n".join(lines).encode(), day, day.replace(hour=23))
    assert read.title == "Acme"
    assert "4711" not in repr(read) and "zoom" not in repr(read)


def test_rows_that_were_written_before_are_asked_about_without() -> None:
    campaign = Campaign(name="n", offering="o", target_customer="t", pain_points="p")
    nothing: dict[str, Any] = {"starts_at": None, "people": (), "companies": (), "evidence": (), "answers": ()}
    material = Material(brief_id=row("brief"), title=f"Acme {SECRETS}", campaign=campaign, sandbox=True, **nothing)
    prompt = drafts.prompt(material, datetime(2026, 11, 22, tzinfo=UTC), None)
    assert '"title": "Acme"' in prompt.material or '"title":"Acme"' in prompt.material
    assert "4711" not in prompt.material and "zoom" not in prompt.material
