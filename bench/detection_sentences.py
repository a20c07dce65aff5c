"""Sentences for `bench/detection.py`: templates for tuning, and others that were written after tuning had ended.

`{kind}` stands for one generated entity. Clean questions and schema prompts hold no personal data.
"""

from __future__ import annotations

from typing import Final

TUNING_PERSONS: Final = (
    "orders of {person} last month",
    "How much has {person} spent since January?",
    "show all refunds issued to {person} by week",
    "tickets opened by {person} in 2024",
    "compare {person} and {person} by revenue",
    "what is the average basket of {person}",
    "did {person} churn in Q2?",
    "line chart of logins for user {person}",
    "number of orders shipped to {person}, grouped by channel",
    "total discount given to customer {person} this year",
    "which products did {person} buy most often?",
    "monthly spend for {person} vs the average customer",
    "satisfaction scores on tickets handled by {person}",
    "plot revenue where sales rep is {person}",
    "sum of invoices belonging to {person} per quarter",
    "is {person} still subscribed",
    "subscriptions cancelled by {person} or {person}",
    "orders by {person} excluding returns",
    "top products for {person} as a pie chart",
    "give me the history of {person}",
    "sessions of {person} per device",
    "median shipping fee paid by {person}",
    "how often does {person} contact support",
    "bar chart: orders from {person} by status",
    "when did {person} sign up",
)
"""Questions that name a person."""

TUNING_STRUCTURED: Final = (
    "orders of {email} by month",
    "did anyone with {email} open a ticket last week?",
    "Show spend for {email}, please",
    "tickets where the sender was {email}",
    "revenue from account {email} in 2024",
    "list sign-ups from {email} and {email}",
    "customers reachable at {phone}",
    "calls from {phone} per day",
    "who has phone number {phone}",
    "orders placed via {phone} last quarter",
    "my mobile is {phone}, show my orders",
    "payments with card {card}",
    "transactions on {card} by month",
    "refunds to credit card {card} this year",
    "declined charges for {card}",
    "transfers to {iban} per quarter",
    "payouts with IBAN {iban}",
    "which invoices were paid from {iban}?",
    "sessions from {ip} by hour",
    "logins from IP {ip} yesterday",
    "events with source address {ip} per device",
    "traffic of {ipv6} last week",
    "devices with MAC {mac}",
    "orders of the customer with SSN {ssn}",
    "tax records for {ssn}",
    "social security number {ssn} total claims",
    "claims for NHS number {nhs}",
    "employees with national insurance {nino}",
    "orders delivered to {address}",
    "shipments to {address} by week",
    "customers living at {address}",
    "patients born on {birth_date}",
    "customers with date of birth {birth_date} by segment",
    "orders of users whose birthday is {birth_date}",
    "use api key {secret} to fetch the orders",
    "revenue by month, token {secret}",
    "why does {secret} return nothing",
    "connect with {connection} and chart revenue",
    "the password is {password}, show orders",
    "email {email} or call {phone} about late orders",
)
"""Questions that hold an identifier with a shape of its own."""

SUBJECTS: Final = (
    "revenue",
    "orders",
    "average order value",
    "support tickets",
    "refunds",
    "new customers",
    "churn rate",
    "MRR",
    "page views",
    "shipping fees",
    "discounts",
    "subscription cancellations",
    "units sold",
    "gross margin",
    "signups",
    "active users",
    "seats",
    "session duration",
    "satisfaction score",
    "conversion rate",
)
TABLE_NAMES: Final = (
    "orders",
    "customers",
    "products",
    "support_tickets",
    "subscriptions",
    "web_events",
    "employees",
    "payments",
)
TUNING_CLEAN: Final = (
    "Show {s} by month for 2024 as a bar chart",
    "How did {s} develop since March 2023?",
    "{s} per country, top 10",
    "compare {s} of web and mobile by week",
    "What is the median {s} by product category?",
    "{s} in Q3 2025 versus Q3 2024",
    "distribution of {s} as a histogram with 20 bins",
    "Which region has the lowest {s}?",
    "share of total {s} by channel, pie chart",
    "{s} by weekday and hour of day, heatmap",
    "running total of {s} this year",
    "{s} in Paris, London and New York",
    "Which five cities had the fastest growth in {s} between 2023-01-01 and 2024-06-30?",
    "{s} for orders over 1,500.50 and under 20000",
    "3 month moving average of {s} by plan",
    "Top 5 Product Lines By {s}",
    "year over year change in {s} during May, June and August",
    "scatter plot of {s} against discount percent",
    "{s} of enterprise customers in Germany, France and Spain on Black Friday",
    "did {s} go up after the price rise of 12.5 percent on 3 May 2024?",
    "mark the best week of {s} for grants, bills and cash payments",
    "will {s} reach 1200000 before summer",
    "{s} by iPhone and Android users in San Francisco",
    "exclude cancelled rows and show {s} by customer segment",
    "forecast {s} by store: Austin, Houston, Jackson, Madison",
)
"""25 forms for 20 subjects: 500 clean questions."""

_TABLES: Final = """
customers
id int key
name text name-like unique
email text email-like unique
phone text phone-like
city text city 1200 distinct

orders
id int key
customer_id int -> customers.id
ordered_at datetime 2023-01..2025-12 daily
status text ["new","paid","shipped"]
shipping_fee number currency 2..12 ~5 null 10%

employees
id int key
first_name text name-like
last_name text name-like
birth_date date 1955..2005
ssn text code-like unique
manager_id int -> employees.id

payments
id int key
card_brand text
card_last4 text code-like
iban text code-like
amount number currency 5..950 ~48
paid_on date

patients
mrn text code-like unique
gender text
blood_type text
admitted_at datetime 2021-Q1..2024-Q4
ward text

web_events
id int key
page text url-like
ip_address text
device text
country text country
duration_ms int 120..98000 ~2400

products
sku text code-like unique
title text
category text 24 distinct
unit_price number currency 1..500 ~19.5
launched_on date 2019..2025

support_tickets
id int key
opened_at datetime
priority text
topic text
subject text free-text
satisfaction int 1..5

flights
flight_no text
origin text
dest text
dep_delay int -12..95 ~3
carrier text
tail_num text

accounts
id int key
owner_name text name-like
balance number currency -500..120000
opened_on date
branch_code text
april_bonus number
grant_amount number
may_sales number
jan_total number
mark int
page_rank int
frank boolean
will_renew boolean
"""
SCHEMA_TABLES: Final = tuple(tuple(block.splitlines()) for block in _TABLES.strip().split("\n\n"))
"""Ten tables; the bench draws 50 schema prompts of five tables from them."""

PERSONS: Final = (
    "revenue per quarter from {person}",
    "has {person} ordered anything since Easter?",
    "I need the invoices for {person}, sorted by date",
    "chart the weekly visits of {person}",
    "{person} and {person}: who opened more tickets in 2025?",
    "average resolution time for cases owned by {person}",
    "What did {person} pay for shipping in November?",
    "sum up discounts that were granted to {person}",
    "which plan does {person} have",
    "stacked bars of page views by device for {person}",
    "orders that {person} returned within 30 days",
    "please plot the balance of {person} over time",
    "everything bought by {person} in the last six months",
    "count of seats in subscriptions of {person}",
    "how many emails were sent to {person} by month",
    "leads converted by {person} per region",
    "show me the lifetime value of {person}",
    "patient {person}: visits per year",
    "hours booked by employee {person} each week",
    "does {person} buy more than {person}?",
    "line of cumulative spend, only for {person}",
    "filter on {person} and group by category",
    "complaints about {person} by topic",
    "pie of payment methods used by {person}",
    "deals closed with {person} as the contact",
)
"""Questions that name a person."""

STRUCTURED: Final = (
    "tickets from {email} by priority",
    "is {email} on the pro plan?",
    "we got a complaint from {email}; how many orders did they place in May?",
    "newsletter opens for {email} by week",
    "compare {email} with {email} by spend",
    "who owns {email} and what is their revenue",
    "callbacks to {phone} last month",
    "sms sent to {phone} by day",
    "customer with mobile {phone}: orders per quarter",
    "{phone} called us, show open tickets",
    "fax {phone} invoices",
    "chargebacks on {card} in 2024",
    "was {card} declined more than twice?",
    "spend per category of the card {card}",
    "sepa payments from {iban} by month",
    "refund total to {iban}",
    "{iban}: payouts over time",
    "requests from {ip} per hour",
    "block rate of {ip} and {ip}",
    "page views of visitors at {ipv6}",
    "uptime of sensor {mac} by day",
    "benefits paid to {ssn} per year",
    "ssn {ssn} payroll by month",
    "appointments of NHS patient {nhs}",
    "payslips of {nino}",
    "parcels sent to {address} in December",
    "failed deliveries at {address}",
    "do we have customers in {address}",
    "members born {birth_date} by plan",
    "policy holders, date of birth {birth_date}, claims per year",
    "dob {birth_date} visits",
    "{secret} is my key, why no rows",
    "set the token to {secret} and chart orders",
    "curl with {secret} returns 401, plot errors by day",
    "read from {connection} and count users",
    "datasource {connection}: revenue by month",
    "my password: {password}",
    "log in with secret={password} then show churn",
    "{email}, {phone} or {card}: any orders?",
    "mail {email} the chart of sales in {address}",
)
"""Questions that hold an identifier with a shape of its own."""

CLEAN: Final = (
    "Plot {s} over the last 18 months",
    "{s} per quarter, stacked by plan",
    "What share of {s} comes from the Nordics?",
    "give me {s} for Berlin, Madrid and Sydney side by side",
    "how much of {s} falls on weekends vs weekdays",
    "box plot of {s} by priority",
    "{s} before and after 15 August 2024",
    "rank categories by {s}, lowest first",
    "is there a correlation between {s} and shipping time?",
    "Average {s} Per Active User In Fiscal Year 2025",
    "{s} where discount is at least 10% and status is not cancelled",
    "95th percentile of {s} by hour",
    "{s} by state: Georgia, Virginia, Carolina, Washington",
    "week 32 {s} against week 31",
    "do customers on the Pro plan have higher {s} than Basic?",
    "{s} by acquisition source (organic, paid search, referral, email)",
    "number of days in which {s} exceeded 2,500",
    "cohort table of {s} by sign-up month",
    "what was the peak of {s} on Cyber Monday, and at what hour?",
    "{s} for SKU families starting with A, without bundles",
    "ratio of {s} to marketing spend, monthly, 2023-2025",
    "treemap of {s} by department and team",
    "show null values in {s} per table",
    "Christmas and Easter effect on {s}",
    "who are the ten best accounts by {s}?",
)
"""25 forms for 20 subjects: 500 clean questions."""
