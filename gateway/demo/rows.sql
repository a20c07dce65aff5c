-- The demo's rows, in order. Each statement is run as it stands; $names are bound, $seed is put in as a number.
--
-- u: uniform in [0, 1) of a name and a row number, by MD5, so that it is the same on every version and machine.
-- moment: growth (density rises with time) over three years, with an hour of the day that peaks in the evening.
-- season: how likely a moment is to be kept, by month and weekday.
CREATE TYPE segment AS ENUM ('consumer', 'small_business', 'enterprise');
CREATE TYPE order_status AS ENUM ('pending', 'paid', 'shipped', 'delivered', 'returned', 'cancelled');
CREATE TYPE channel AS ENUM ('web', 'mobile_app', 'marketplace', 'retail_store', 'phone');
CREATE TYPE plan AS ENUM ('starter', 'team', 'business', 'enterprise');
CREATE TYPE priority AS ENUM ('low', 'normal', 'high', 'urgent');
CREATE TYPE event_type AS ENUM ('page_view', 'search', 'add_to_cart', 'checkout', 'purchase');
CREATE TYPE device AS ENUM ('desktop', 'mobile', 'tablet');
CREATE TABLE customers (
    id INTEGER PRIMARY KEY, tenant_id VARCHAR NOT NULL, name VARCHAR NOT NULL, email VARCHAR NOT NULL, phone VARCHAR,
    country VARCHAR NOT NULL, city VARCHAR, segment segment NOT NULL, signed_up_on DATE NOT NULL,
    marketing_opt_in BOOLEAN NOT NULL);
CREATE TABLE products (
    id INTEGER PRIMARY KEY, tenant_id VARCHAR NOT NULL, name VARCHAR NOT NULL, category VARCHAR NOT NULL,
    unit_price DECIMAL(10, 2) NOT NULL, unit_cost DECIMAL(10, 2) NOT NULL, launched_on DATE);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, tenant_id VARCHAR NOT NULL, customer_id INTEGER NOT NULL REFERENCES customers (id),
    ordered_at TIMESTAMP NOT NULL, status order_status NOT NULL, channel channel NOT NULL,
    discount DECIMAL(4, 2), shipping_fee DECIMAL(8, 2) NOT NULL);
CREATE TABLE order_items (
    id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id),
    product_id INTEGER NOT NULL REFERENCES products (id), quantity INTEGER NOT NULL, unit_price DECIMAL(10, 2) NOT NULL);
CREATE TABLE subscriptions (
    id INTEGER PRIMARY KEY, tenant_id VARCHAR NOT NULL, customer_id INTEGER NOT NULL REFERENCES customers (id),
    plan plan NOT NULL, started_on DATE NOT NULL, cancelled_on DATE, monthly_price DECIMAL(10, 2) NOT NULL,
    seats INTEGER NOT NULL);
CREATE TABLE support_tickets (
    id INTEGER PRIMARY KEY, tenant_id VARCHAR NOT NULL, customer_id INTEGER NOT NULL REFERENCES customers (id),
    opened_at TIMESTAMP NOT NULL, closed_at TIMESTAMP, priority priority NOT NULL, topic VARCHAR NOT NULL,
    subject VARCHAR NOT NULL, body VARCHAR NOT NULL, satisfaction INTEGER);
CREATE TABLE web_events (
    id INTEGER PRIMARY KEY, tenant_id VARCHAR NOT NULL, customer_id INTEGER REFERENCES customers (id),
    occurred_at TIMESTAMP NOT NULL, event_type event_type NOT NULL, page VARCHAR NOT NULL, device device NOT NULL,
    country VARCHAR, duration_ms INTEGER);

CREATE TEMP MACRO u(k, i) AS (md5_number_lower(concat($seed, ':', k, ':', i)) % 1000003) / 1000003.0;
CREATE TEMP MACRO pick(list, x) AS list[1 + CAST(floor(x * len(list)) AS INTEGER)];
CREATE TEMP MACRO tenant(x) AS CASE WHEN x < 0.5 THEN 'northwind' WHEN x < 0.8 THEN 'lumen' ELSE 'atlas' END;
CREATE TEMP MACRO moment(growth, k, i) AS TIMESTAMP '2023-01-01' + to_days(CAST(floor(1096 * pow(u(k || 'd', i),
    growth)) AS INTEGER)) + to_seconds(CAST(floor(86400 * (0.25 + 0.74 * (0.55 * u(k || 'h', i)
    + 0.45 * sqrt(u(k || 'g', i))))) AS INTEGER));
CREATE TEMP MACRO season(t, tenant) AS
    ([0.62, 0.60, 0.68, 0.70, 0.74, 0.72, 0.66, 0.63, 0.72, 0.80, 1.0, 0.97])[month(t)]
    * CASE WHEN tenant = 'atlas' THEN ([0.7, 0.7, 0.85, 1.0, 1.0, 1.0, 1.0, 0.95, 0.8, 0.7, 0.65, 0.7])[month(t)] ELSE 1 END
    * CASE WHEN dayofweek(t) IN (0, 6) THEN 0.78 ELSE 1 END;

INSERT INTO customers
WITH place AS (SELECT *, sum(weight) OVER (ORDER BY country, city) AS upto, sum(weight) OVER () AS total FROM places),
drawn AS (
    SELECT i, tenant(u('tenant', i)) AS tenant_id, pick($first, u('first', i)) AS f, pick($last, u('last', i)) AS l,
        u('segment', i) AS s, u('phone', i) AS p, u('place', i) AS place_at,
        CAST(moment(0.62, 'signup', i) AS DATE) AS signed_up_on
    FROM range(1, $customers + 1) AS r(i)
)
SELECT i, tenant_id, CASE WHEN s > 0.94 THEN l || ' ' || pick($company, u('company', i)) ELSE f || ' ' || l END,
    replace(lower(strip_accents(replace(f || '.' || l, '''', ''))), 'ı', 'i') || CASE WHEN u('number', i) < 0.7
        THEN CAST(10 + i % 89 AS VARCHAR) ELSE '' END || '@' || pick($domains, u('domain', i)),
    CASE WHEN p < 0.28 THEN NULL
        WHEN country = 'United Kingdom' THEN '+44 7700 900' || lpad(CAST(CAST(floor(p * 1000) AS INTEGER) AS VARCHAR), 3, '0')
        WHEN country = 'France' THEN '+33 1 99 00 ' || format('{:02d} {:02d}', i % 100, CAST(floor(p * 100) AS INTEGER))
        ELSE '+1 ' || CAST(212 + i % 500 AS VARCHAR) || '-555-01' || lpad(CAST(CAST(floor(p * 100) AS INTEGER) AS VARCHAR), 2, '0') END,
    country, CASE WHEN u('city', i) < 0.07 THEN NULL ELSE city END,
    CASE WHEN s < 0.74 THEN 'consumer' WHEN s < 0.94 THEN 'small_business' ELSE 'enterprise' END,
    signed_up_on, u('optin', i) < 0.41
FROM drawn JOIN place ON place_at * total >= upto - weight AND place_at * total < upto
ORDER BY i;

INSERT INTO products
WITH nouns AS (SELECT tenant_id, category, typical, unnest(string_split(words, ' ')) AS noun FROM catalogue),
named AS (SELECT *, unnest($adjectives) AS adjective FROM nouns),
kept AS (
    SELECT *, row_number() OVER (ORDER BY tenant_id, category, noun, adjective) AS i FROM named
    WHERE u('keep', tenant_id || category || noun || adjective) < 0.30
)
SELECT i, tenant_id, adjective || ' ' || noun, category,
    round(typical * (0.5 + 1.3 * u('price', i) * u('price2', i) + 0.3 * u('price3', i)), 0) - 0.05,
    round(typical * (0.22 + 0.3 * u('cost', i)), 2),
    CASE WHEN u('launch', i) < 0.12 THEN NULL ELSE DATE '2021-01-01' + CAST(floor(1500 * u('launch2', i)) AS INTEGER) END
FROM kept ORDER BY i;

CREATE TEMP TABLE ranked AS
SELECT id, tenant_id, signed_up_on, row_number() OVER (PARTITION BY tenant_id ORDER BY signed_up_on, id) AS rank FROM customers;
CREATE TEMP MACRO customer_rank(k, i, so_far) AS 1 + CAST(floor(so_far * pow(u(k || 'c', i), 1.4)) AS BIGINT);
CREATE TEMP TABLE reached AS
SELECT tenant_id, CAST(signed_up_on AS TIMESTAMP) AS since, max(rank) AS so_far FROM ranked GROUP BY ALL;

INSERT INTO orders
WITH drawn AS (
    SELECT i, tenant(u('ot', i)) AS tenant_id, moment(0.60, 'order', i) AS t FROM range(1, 2 * $orders) AS r(i)
), kept AS (
    SELECT * FROM drawn WHERE u('season', i) < season(t, tenant_id) QUALIFY row_number() OVER (ORDER BY i) <= $orders
), known AS (
    SELECT kept.*, so_far FROM kept ASOF JOIN reached ON kept.tenant_id = reached.tenant_id AND kept.t >= reached.since
), placed AS (
    SELECT known.*, ranked.id AS customer_id FROM known
    JOIN ranked ON ranked.tenant_id = known.tenant_id AND ranked.rank = customer_rank('order', i, so_far)
)
SELECT row_number() OVER (ORDER BY t, i) + 10000, tenant_id, customer_id, t,
    CASE WHEN t > TIMESTAMP '2025-12-27' THEN pick(['pending', 'paid', 'paid', 'shipped', 'cancelled'], u('st', i))
        WHEN t > TIMESTAMP '2025-12-18' THEN pick(['paid', 'shipped', 'shipped', 'delivered', 'delivered'], u('st', i))
        WHEN u('st', i) < 0.86 THEN 'delivered' WHEN u('st', i) < 0.93 THEN 'returned'
        WHEN u('st', i) < 0.985 THEN 'cancelled' ELSE 'shipped' END,
    CASE WHEN u('ch', i) < 0.62 - 0.00022 * date_diff('day', TIMESTAMP '2023-01-01', t) THEN 'web'
        WHEN u('ch', i) < 0.72 THEN 'mobile_app' WHEN u('ch', i) < 0.87 THEN 'marketplace'
        WHEN u('ch', i) < 0.96 THEN 'retail_store' ELSE 'phone' END,
    CASE WHEN u('dc', i) < 0.68 THEN NULL ELSE pick([0.05, 0.10, 0.10, 0.15, 0.20, 0.30], u('dc2', i)) END,
    CASE WHEN u('sh', i) < 0.35 THEN 0 ELSE pick([3.90, 4.90, 4.90, 6.50, 9.90, 14.90], u('sh2', i)) END
FROM placed ORDER BY 1;

CREATE TEMP TABLE shelf AS
SELECT id, tenant_id, unit_price, row_number() OVER (PARTITION BY tenant_id ORDER BY md5(CAST(id AS VARCHAR))) AS place,
    count(*) OVER (PARTITION BY tenant_id) AS size FROM products;

INSERT INTO order_items
WITH lines AS (
    SELECT o.id AS order_id, o.tenant_id, o.ordered_at, unnest(range(1, 2 + CAST(floor(4.2 * pow(u('n', o.id), 2)) AS BIGINT))) AS line FROM orders o
), keyed AS (
    SELECT *, order_id * 10 + line AS k, row_number() OVER (ORDER BY order_id, line) AS i FROM lines
), chosen AS (
    SELECT keyed.*, 1 + CAST(floor(size * pow(u('p', k), 1.7)) AS BIGINT) AS place
    FROM keyed JOIN (SELECT DISTINCT tenant_id, size FROM shelf) AS sizes USING (tenant_id)
)
SELECT i, order_id, shelf.id, 1 + CAST(floor(3.4 * pow(u('q', k), 3)) AS INTEGER)
        + CASE WHEN u('bulk', k) < 0.015 THEN CAST(floor(20 * u('bulk2', k)) AS INTEGER) ELSE 0 END,
    round(shelf.unit_price * (0.9 + 0.05 * (year(ordered_at) - 2023)), 2)
FROM chosen JOIN shelf USING (tenant_id, place)
ORDER BY i;

INSERT INTO subscriptions
WITH drawn AS (
    SELECT c.*, u('sub', id) AS s, u('plan', id) AS p, u('stay', id) AS stay FROM customers c
    WHERE u('has', id) < CASE segment WHEN 'consumer' THEN 0.38 WHEN 'small_business' THEN 0.8 ELSE 0.95 END
), planned AS (
    SELECT *, signed_up_on + CAST(floor(50 * s) AS INTEGER) AS started_on,
        CASE WHEN segment = 'enterprise' AND p < 0.6 THEN 'enterprise' WHEN p < 0.5 AND segment = 'consumer' THEN 'starter'
            WHEN p < 0.35 THEN 'starter' WHEN p < 0.75 THEN 'team' WHEN p < 0.96 THEN 'business' ELSE 'enterprise' END AS plan_name
    FROM drawn
), seated AS (
    SELECT *, 1 + CAST(floor(CASE plan_name WHEN 'starter' THEN 2 WHEN 'team' THEN 9 WHEN 'business' THEN 40 ELSE 180 END
        * pow(u('seat', id), 2)) AS INTEGER) AS seats FROM planned WHERE started_on <= DATE '2025-12-31'
)
SELECT row_number() OVER (ORDER BY started_on, id), tenant_id, id, plan_name, started_on,
    CASE WHEN stay < 0.36 AND started_on + 30 + CAST(floor(700 * u('gone', id)) AS INTEGER) <= DATE '2025-12-31'
        THEN started_on + 30 + CAST(floor(700 * u('gone', id)) AS INTEGER) END,
    seats * CASE plan_name WHEN 'starter' THEN 9 WHEN 'team' THEN 19 WHEN 'business' THEN 29 ELSE 45 END, seats
FROM seated ORDER BY 1;

INSERT INTO support_tickets
WITH drawn AS (
    SELECT o.*, u('tk', o.id) AS x, ordered_at + to_minutes(CAST(floor(60 * 24 * 25 * u('open', o.id)) AS INTEGER)) AS opened_at
    FROM orders o WHERE u('ticket', o.id) < CASE status WHEN 'returned' THEN 0.75 WHEN 'cancelled' THEN 0.6 ELSE 0.2 END
), worded AS (
    SELECT drawn.*, c.name, c.email, c.phone, c.city, t.topic, t.subject, t.body FROM drawn
    JOIN customers c ON c.id = drawn.customer_id JOIN tickets t ON t.i = CAST(floor(x * (SELECT count(*) FROM tickets)) AS BIGINT)
    WHERE opened_at < TIMESTAMP '2026-01-01'
), closed AS (
    SELECT *, CASE WHEN u('rank', id) < 0.16 THEN 'low' WHEN u('rank', id) < 0.74 THEN 'normal'
            WHEN u('rank', id) < 0.94 THEN 'high' ELSE 'urgent' END AS level,
        opened_at + to_minutes(CAST(floor(30 + 60 * 24 * 9 * pow(u('close', id), 3)) AS INTEGER)) AS closed_at FROM worded
)
SELECT row_number() OVER (ORDER BY opened_at, id), tenant_id, customer_id, opened_at,
    CASE WHEN closed_at < TIMESTAMP '2026-01-01' AND u('left', id) > 0.03 THEN closed_at END, level, topic, subject,
    pick(['Hello', 'Hi', 'Good morning', 'Dear team'], u('hi', id)) || ', ' || replace(replace(replace(replace(replace(
        body, '{order}', CAST(id AS VARCHAR)), '{phone}', coalesce(phone, 'my work number')), '{email}', email),
        '{city}', coalesce(city, 'the old address')), '{name}', name) || ' Thanks, ' || name,
    CASE WHEN u('sat', id) < 0.46 THEN 1 + CAST(floor(5 * pow(u('sat2', id), 0.5)) AS INTEGER) END
FROM closed ORDER BY 1;

INSERT INTO web_events
WITH drawn AS (
    SELECT i, tenant(u('et', i)) AS tenant_id, moment(0.52, 'event', i) AS t, u('kind', i) AS k, u('dev', i) AS d
    FROM range(1, 2 * $events) AS r(i)
), kept AS (
    SELECT * FROM drawn WHERE u('eseason', i) < season(t, tenant_id) QUALIFY row_number() OVER (ORDER BY i) <= $events
), known AS (
    SELECT kept.*, so_far FROM kept ASOF LEFT JOIN reached ON kept.tenant_id = reached.tenant_id AND kept.t >= reached.since
)
SELECT row_number() OVER (ORDER BY t, i), known.tenant_id, CASE WHEN u('anon', i) < 0.62 THEN ranked.id END, t,
    CASE WHEN k < 0.58 THEN 'page_view' WHEN k < 0.76 THEN 'search' WHEN k < 0.89 THEN 'add_to_cart'
        WHEN k < 0.95 THEN 'checkout' ELSE 'purchase' END,
    CASE WHEN k < 0.58 THEN pick($pages, u('page', i)) WHEN k < 0.76 THEN '/search' WHEN k < 0.89 THEN '/product' ELSE '/checkout' END,
    CASE WHEN d < 0.58 - 0.00018 * date_diff('day', TIMESTAMP '2023-01-01', t) THEN 'desktop' WHEN d < 0.93 THEN 'mobile' ELSE 'tablet' END,
    CASE WHEN u('geo', i) < 0.05 THEN NULL ELSE pick($countries, u('where', i)) END,
    CASE WHEN u('dur', i) < 0.12 THEN NULL ELSE CAST(floor(400 + 180000 * pow(u('dur2', i), 5)) AS INTEGER) END
FROM known LEFT JOIN ranked ON ranked.tenant_id = known.tenant_id AND ranked.rank = customer_rank('event', i, so_far)
ORDER BY 1;
