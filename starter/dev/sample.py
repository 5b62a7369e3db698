"""The sample of the demo: a tenant, a user, a campaign, and a meeting with all sorts of people. All of it is fictional."""

from schemas.digests import EVERY_DAY, Wishes
from schemas.meetings import Invited
from schemas.tenants import NewCampaign, Tenant, User

TENANT = Tenant(
    id="5a3d1c1e-0000-4000-8000-000000000001",
    slug="sample",
    name="Harbour Software (sample)",
    domains=("harbour.example",),
)
USER = User(
    id="5a3d1c1e-0000-4000-8000-000000000002",
    email="robin.marsh@harbour.example",
    name="Robin Marsh",
    time_zone="Europe/Berlin",
)
CAMPAIGN = NewCampaign(
    name="Forecasting for logistics",
    offering="A forecasting service that turns order and shipping data into a two-week plan for staff and trucks",
    target_customer="Operations leaders at companies with 200 to 5,000 people and their own warehouses",
    pain_points="Overtime that nobody planned, empty trucks, planning by spreadsheet, forecasts that arrive too late",
)
# What the sample user hears in the morning. Their meetings count too.
WISHES = Wishes(topics=("school meals", "rail freight", "port fees"), sales=True, days=EVERY_DAY)
# Where the sample user is told of skills, beside their mail: a chat of the sandbox's.
CHAT, CHAT_LABEL = "4711", "Telegram (sample)"
TITLE = "Introduction: planning at Lovelace Analytics and Brightwater Logistics"
INVITED = (
    Invited(email="ada@lovelace.example", name="Ada Lovelace"),
    Invited(email="tomas.okafor@brightwater.example", name="Tomas Okafor"),
    Invited(email="mei.tanaka@gmail.com", name="Mei Tanaka"),
    Invited(email="kim.berg@harbour.example", name="Kim Berg"),
    Invited(email="robin.marsh@harbour.example", name="Robin Marsh"),
    Invited(email="room-north@harbour.example", name="North room", room=True),
)
