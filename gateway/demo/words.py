"""Words the demo's rows are made of. All people, companies and shops are invented.

Mail domains end in ``.example`` (RFC 2606). Telephone numbers are from ranges kept for fiction: Ofcom's 07700 900000
to 900999, 555-0100 to 555-0199 of the North American Numbering Plan, and ARCEP's 01 99 00 for France.
"""

from __future__ import annotations

from typing import Final

FIRST_NAMES: Final = (
    "Ada Maria Jonas Amélie Liam Sofia Noah Emma Lukas Chloé Oliver Isabella Mateo Hannah Ethan Zoe Felix Léa Jack "
    "Priya Arjun Mei Hiro Yuki Fatima Omar Layla Ingrid Lars Astrid Nikolai Anya Carlos Lucía Diego Camila Thabo "
    "Amara Kwame Nia Grace Henry Ruby Oscar Freya Leo Clara Theo Alice Max Julia Samuel Nora Anton Elif Mehmet Greta "
    "Paul Marta Tomás Inês Aoife Cian Saoirse Dylan Megan"
).split()

LAST_NAMES: Final = (
    "Keller Schmidt Novak Dubois Martin Rossi Bianchi Garcia Fernández López Silva Santos Murphy O'Brien Walsh Smith "
    "Johnson Williams Brown Taylor Davies Evans Wilson Hughes Lindqvist Andersson Nilsson Hansen Larsen Virtanen "
    "Kowalski Nowak Horváth Popescu Ivanova Petrov Yılmaz Demir Haddad Khan Patel Sharma Gupta Tanaka Sato Kim Park "
    "Chen Wang Nguyen Okafor Mensah Dlamini Moreau Laurent Bernard Lefèvre Weber Fischer Wagner Becker Hoffmann "
    "Schulz Koch Richter Vogel"
).split()

MAIL_DOMAINS: Final = (
    "postfach.example",
    "mailbox.example",
    "inbox.example",
    "courriel.example",
    "work.example",
)

COMPANY_WORDS: Final = (
    "Bakery",
    "Studio",
    "Works",
    "Logistics",
    "Clinic",
    "Partners",
    "Design",
    "Foods",
    "Books",
)

PLACES: Final = (
    ("Germany", "Berlin", 9), ("Germany", "Hamburg", 6), ("Germany", "Munich", 7), ("Germany", "Cologne", 4),
    ("France", "Paris", 9), ("France", "Lyon", 4), ("France", "Marseille", 3),
    ("United Kingdom", "London", 10), ("United Kingdom", "Manchester", 4), ("United Kingdom", "Leeds", 3),
    ("United States", "New York", 8), ("United States", "Chicago", 5), ("United States", "Austin", 4),
    ("United States", "Seattle", 4), ("Spain", "Madrid", 4), ("Spain", "Valencia", 2), ("Italy", "Milan", 3),
    ("Netherlands", "Amsterdam", 4), ("Netherlands", "Utrecht", 2), ("Sweden", "Stockholm", 3),
    ("Ireland", "Dublin", 3), ("Poland", "Warsaw", 3), ("Canada", "Toronto", 4), ("Japan", "Osaka", 2),
)  # fmt: skip
"""Country, city, weight."""

CATALOGUE: Final = (
    ("northwind", "Kitchen", 24.0, "Kettle Pan Teapot Grinder Knife Board Mixer Scale"),
    ("northwind", "Garden", 32.0, "Hose Spade Planter Lantern Bench Trellis Rake"),
    ("northwind", "Lighting", 45.0, "Lamp Pendant Sconce Spotlight Candelabra"),
    ("northwind", "Textiles", 28.0, "Blanket Cushion Rug Towel Curtain Throw"),
    ("northwind", "Furniture", 180.0, "Chair Table Shelf Sideboard Stool Desk"),
    ("northwind", "Stationery", 9.0, "Notebook Pen Organiser Calendar Envelope"),
    ("lumen", "Cameras", 420.0, "Camera Lens Body Finder"),
    ("lumen", "Audio", 130.0, "Headphones Speaker Microphone Earbuds Amplifier"),
    ("lumen", "Wearables", 190.0, "Watch Band Tracker Ring"),
    ("lumen", "Smart Home", 75.0, "Sensor Bulb Plug Thermostat Doorbell"),
    ("lumen", "Accessories", 22.0, "Case Cable Charger Stand Strap"),
    ("atlas", "Backpacks", 110.0, "Backpack Daypack Duffel Satchel"),
    ("atlas", "Camping", 95.0, "Tent Stove Mat Hammock Cooler"),
    ("atlas", "Climbing", 70.0, "Harness Rope Helmet Carabiner"),
    ("atlas", "Footwear", 125.0, "Boot Sandal Trainer Gaiter"),
    ("atlas", "Apparel", 60.0, "Jacket Fleece Cap Gloves Socks"),
)  # fmt: skip
"""Tenant, category, typical price in the tenant's currency, nouns."""

ADJECTIVES: Final = (
    "Nordic Classic Compact Trail Urban Studio Pro Mini Heritage Alpine Solar Quiet Swift".split()
)

TICKETS: Final = (
    ("delivery", "Parcel has not arrived", "my order {order} was due last week and has not arrived. Please call me "
     "at {phone} before you send the courier again."),
    ("delivery", "Wrong address on the label", "the label on order {order} says {city}, but I have moved. Please "
     "send it to my new flat and write to {email} when it is done."),
    ("refund", "Refund not received", "I returned order {order} two weeks ago and the money is not on my account "
     "yet. You can reach me at {email}."),
    ("refund", "Charged twice", "my card was charged twice for order {order}. {name} on the phone promised to look "
     "into it, my number is {phone}."),
    ("product", "Item arrived damaged", "the box was open when it came and one part is broken. I have sent photos "
     "from {email}."),
    ("product", "Part is missing", "there are screws missing in the box. I live in {city} and could pick them up."),
    ("account", "Cannot sign in", "I cannot sign in as {email}, the reset mail never comes."),
    ("account", "Please delete my data", "please delete my account, {email}, and confirm by post to {city}."),
    ("billing", "Invoice needs our VAT number", "the invoice for order {order} should carry our company name. "
     "Accounting is at {email}, or ask for {name} at {phone}."),
    ("billing", "Question about my plan", "what would change if I add three seats? Call {phone} after five."),
)  # fmt: skip
"""Topic, subject, body with the customer's own particulars in it: what a guard has to find."""

PAGES: Final = ("/", "/search", "/category", "/product", "/cart", "/checkout", "/account", "/help")
