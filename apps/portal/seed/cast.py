"""Who plays: staff, partners and clients, invented, with what each of them is going to do."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

PASSWORD: Final = "demo-Broker-2026"  # noqa: S105  printed on the demo's front door


@dataclass(frozen=True, slots=True)
class StaffMember:
    email: str
    name: str
    role: str
    scope: str = "ALL"


STAFF: Final = (
    StaffMember("admin@demo.brokeros.example", "Ada Lindqvist", "admin"),
    StaffMember("compliance@demo.brokeros.example", "Carla Mendes", "compliance"),
    StaffMember("mlro@demo.brokeros.example", "Marek Novotny", "mlro"),
    StaffMember("finance@demo.brokeros.example", "Fatima Haddad", "finance"),
    StaffMember("finance2@demo.brokeros.example", "Felix Brandt", "finance"),
    StaffMember("dealer@demo.brokeros.example", "Dylan Okafor", "dealing"),
    StaffMember("risk@demo.brokeros.example", "Rita Kovacs", "risk"),
    StaffMember("operations@demo.brokeros.example", "Olof Nyberg", "operations"),
    StaffMember("partners@demo.brokeros.example", "Paula Ferrari", "partner_manager"),
    StaffMember("sales@demo.brokeros.example", "Sven Aalto", "sales"),
    StaffMember("support@demo.brokeros.example", "Sara Dimitrova", "support"),
    StaffMember("auditor@demo.brokeros.example", "Arthur Wells", "auditor"),
)


class Ending(StrEnum):
    """How far a client comes within the story."""

    TRADES = "TRADES"
    FUNDED = "FUNDED"
    UNFUNDED = "UNFUNDED"
    KYC_WAITING = "KYC_WAITING"
    KYC_ESCALATED = "KYC_ESCALATED"
    KYC_RESUBMIT = "KYC_RESUBMIT"
    KYC_REJECTED = "KYC_REJECTED"
    HALFWAY = "HALFWAY"
    UNCONFIRMED = "UNCONFIRMED"


@dataclass(frozen=True, slots=True)
class Player:
    """One client. `days` ago the story began; `marks` name the special things that happen to them."""

    first_name: str
    last_name: str
    country: str
    days: float
    ending: Ending = Ending.TRADES
    partner: str = ""
    method: str = "CARD"
    deposit: int = 2000
    style: str = "FX"
    email: str = ""
    marks: frozenset[str] = field(default_factory=frozenset)

    @property
    def address(self) -> str:
        if self.email:
            return self.email
        plain = unicodedata.normalize("NFKD", f"{self.first_name}.{self.last_name}".lower())
        return f"{plain.encode('ascii', 'ignore').decode()}@client.example"

    @property
    def is_eu(self) -> bool:
        return self.country in EU


EU: Final = frozenset(
    {"DE", "ES", "IT", "FR", "PL", "NL", "CY", "PT", "SE", "AT", "CZ", "GR", "IE"}
)


def _marks(*names: str) -> frozenset[str]:
    return frozenset(names)


E = Ending

PARTNERS: Final = (
    Player("Ivy", "Laurent", "CY", 45.2, E.FUNDED, "", "BANK_TRANSFER", 3000, email="ivy@partner.example",
           marks=_marks("partner:ivy")),
    Player("Samuel", "Osei", "AE", 44.3, E.FUNDED, "ivy", "CARD", 1500, email="sub@partner.example",
           marks=_marks("partner:sub")),
    Player("Suna", "Demir", "AE", 43.2, E.FUNDED, "sub", "CARD", 1000, email="subsub@partner.example",
           marks=_marks("partner:subsub")),
)  # fmt: skip

CLIENTS: Final = (
    Player("Ana", "Keller", "DE", 41.5, partner="ivy", deposit=4000, email="ana@client.example",
           marks=_marks("withdraw:small", "position", "resting")),
    Player("Omar", "Farouk", "AE", 41.1, partner="sub", deposit=2500, email="omar@client.example",
           marks=_marks("withdraw:pending", "position", "resting")),
    Player("Lukas", "Weber", "DE", 40.6, deposit=5000, marks=_marks("withdraw:large")),
    Player("Chiara", "Romano", "IT", 39.8, partner="ivy", deposit=3000, style="METAL", marks=_marks("position")),
    Player("Mateusz", "Zielinski", "PL", 39.2, partner="subsub", deposit=1500),
    Player("Sofia", "Alvarez", "ES", 38.7, partner="ivy", deposit=2500, method="EWALLET", style="INDEX",
           marks=_marks("withdraw:small")),
    Player("Daan", "Visser", "NL", 38.1, deposit=12000, method="BANK_TRANSFER", style="INDEX",
           marks=_marks("position", "withdraw:large")),
    Player("Khalid", "Rahman", "AE", 37.9, partner="sub", deposit=9000, method="BANK_TRANSFER",
           marks=_marks("position", "big")),
    Player("Thabo", "Nkosi", "ZA", 37.2, partner="subsub", deposit=800, marks=_marks("withdraw:small")),
    Player("Priya", "Sharma", "IN", 36.8, partner="sub", deposit=1200, style="METAL"),
    Player("Nils", "Andersson", "SE", 36.1, deposit=3500, style="EQUITY", marks=_marks("position")),
    Player("Camille", "Moreau", "FR", 35.6, partner="ivy", deposit=2000, marks=_marks("withdraw:rejected")),
    Player("Rui", "Carvalho", "PT", 35.0, deposit=1800, style="CRYPTO"),
    Player("Ngozi", "Eze", "NG", 34.4, partner="subsub", deposit=600),
    Player("Arturo", "Vargas", "MX", 33.9, partner="sub", deposit=2200, style="INDEX", marks=_marks("position")),
    Player("Eleni", "Papadaki", "GR", 33.1, deposit=1500, marks=_marks("deposit:declined")),
    Player("Jan", "Dvorak", "CZ", 32.6, partner="ivy", deposit=2600, style="METAL"),
    Player("Fiona", "Byrne", "IE", 31.8, deposit=4200, marks=_marks("withdraw:small", "position")),
    Player("Wei", "Tan", "MY", 31.2, partner="sub", deposit=15000, method="BANK_TRANSFER",
           marks=_marks("big", "withdraw:large", "position")),
    Player("Anh", "Nguyen", "VN", 30.5, partner="subsub", deposit=700),
    Player("Hugo", "Bauer", "AT", 29.7, deposit=2000, style="EQUITY", marks=_marks("withdraw:canceled")),
    Player("Lucia", "Ferri", "IT", 28.9, partner="ivy", deposit=3200, marks=_marks("withdraw:returned")),
    Player("Yusuf", "Aydin", "AE", 28.2, partner="subsub", deposit=1100, style="CRYPTO", marks=_marks("position")),
    Player("Katarzyna", "Wójcik", "PL", 27.5, deposit=1700),
    Player("Diego", "Morales", "CL", 26.4, partner="sub", deposit=2400, style="INDEX"),
    Player("Marta", "Santos", "PT", 25.6, deposit=900, marks=_marks("deposit:review")),
    Player("Samira", "Aziz", "KW", 24.8, partner="sub", deposit=6000, method="BANK_TRANSFER", style="METAL",
           marks=_marks("position", "withdraw:unknown")),
    Player("Ole", "Petersen", "DE", 23.7, deposit=2800, marks=_marks("restricted")),
    Player("Isabel", "Torres", "ES", 22.3, partner="ivy", deposit=1600, style="METAL"),
    Player("Bilal", "Chaudhry", "PK", 21.5, partner="subsub", deposit=500),
    Player("Greta", "Hoffmann", "DE", 19.9, deposit=5000, style="INDEX", marks=_marks("position")),
    Player("Pedro", "Lima", "BR", 18.4, partner="sub", deposit=1300, marks=_marks("deposit:conflict")),
    Player("Noor", "Jansen", "NL", 16.2, deposit=2100, marks=_marks("withdraw:pending-small")),
    Player("Kofi", "Mensah", "GH", 14.0, partner="subsub", deposit=900, marks=_marks("position")),
    Player("Elif", "Kaya", "AE", 11.3, E.FUNDED, partner="subsub", deposit=1000),
    Player("Paolo", "Greco", "IT", 9.6, E.FUNDED, deposit=1200, marks=_marks("provision:failed")),
    Player("Ingrid", "Holm", "SE", 8.2, E.UNFUNDED),
    Player("Rashid", "Khan", "PK", 7.4, E.UNFUNDED, partner="sub"),
    Player("Joana", "Pinto", "PT", 6.1, E.KYC_RESUBMIT, partner="ivy"),
    Player("Viktor", "Hruska", "CZ", 5.7, E.KYC_REJECTED),
    Player("Amina", "Diallo", "SN", 4.9, E.KYC_RESUBMIT, partner="subsub"),
    Player("Stefan", "Lang", "AT", 3.2, E.KYC_ESCALATED),
    Player("Helena", "Marques", "PT", 2.3, E.KYC_WAITING, partner="ivy"),
    Player("Tariq", "Saleh", "JO", 1.6, E.KYC_WAITING, partner="sub"),
    Player("Beata", "Nowak", "PL", 0.9, E.KYC_WAITING),
    Player("Giorgio", "Costa", "IT", 1.9, E.HALFWAY),
    Player("Farah", "Nasser", "AE", 0.4, E.UNCONFIRMED),
)  # fmt: skip
