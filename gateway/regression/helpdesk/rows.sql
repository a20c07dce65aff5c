-- Two service desks; md5 of the row number in place of chance, so that every run has the same rows.
CREATE TYPE state AS ENUM ('new', 'open', 'waiting', 'solved', 'closed');
CREATE TYPE urgency AS ENUM ('low', 'normal', 'high', 'critical');
CREATE TYPE medium AS ENUM ('email', 'chat', 'phone', 'portal');
CREATE TABLE agents (id INTEGER PRIMARY KEY, desk VARCHAR NOT NULL, full_name VARCHAR NOT NULL, email VARCHAR NOT NULL,
    team VARCHAR NOT NULL, hired_on DATE NOT NULL);
CREATE TABLE requesters (id INTEGER PRIMARY KEY, desk VARCHAR NOT NULL, full_name VARCHAR NOT NULL,
    email VARCHAR NOT NULL, department VARCHAR NOT NULL, country VARCHAR NOT NULL);
CREATE TABLE tickets (id INTEGER PRIMARY KEY, desk VARCHAR NOT NULL, requester_id INTEGER NOT NULL REFERENCES requesters (id),
    agent_id INTEGER REFERENCES agents (id), created_at TIMESTAMP NOT NULL, solved_at TIMESTAMP, state state NOT NULL,
    urgency urgency NOT NULL, medium medium NOT NULL, category VARCHAR NOT NULL, title VARCHAR NOT NULL,
    first_response_min INTEGER, reopened BOOLEAN NOT NULL);
CREATE TABLE comments (id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES tickets (id),
    written_at TIMESTAMP NOT NULL, is_internal BOOLEAN NOT NULL, body VARCHAR NOT NULL);
CREATE TABLE surveys (id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES tickets (id),
    answered_on DATE NOT NULL, score INTEGER NOT NULL, remark VARCHAR);
CREATE TEMP MACRO u(k, i) AS (md5_number_lower(concat('desk:', k, ':', i)) % 1000003) / 1000003.0;
CREATE TEMP MACRO pick(list, x) AS list[1 + CAST(floor(x * len(list)) AS INTEGER)];
CREATE TEMP MACRO person(k, i) AS pick(['Ada', 'Jonas', 'Priya', 'Omar', 'Grace', 'Felix', 'Mei', 'Carlos', 'Astrid', 'Liam'], u(k || 'f', i))
    || ' ' || pick(['Keller', 'Okafor', 'Novak', 'Tanaka', 'Silva', 'Larsen', 'Haddad', 'Moreau', 'Walsh', 'Petrov'], u(k || 'l', i));
INSERT INTO agents SELECT i, CASE WHEN i % 3 = 0 THEN 'west' ELSE 'east' END, person('agent', i),
    'agent' || i || '@desk.example', pick(['network', 'hardware', 'accounts', 'software'], u('team', i)),
    DATE '2018-01-01' + CAST(floor(u('hired', i) * 2500) AS INTEGER) FROM range(1, 61) r(i);
INSERT INTO requesters SELECT i, CASE WHEN i % 3 = 0 THEN 'west' ELSE 'east' END, person('req', i),
    'person' || i || '@corp.example', pick(['Finance', 'Legal', 'Marketing', 'Engineering', 'Logistics'], u('dep', i)),
    pick(['Germany', 'France', 'Spain', 'Poland', 'Canada'], u('country', i)) FROM range(1, 601) r(i);
INSERT INTO requesters VALUES (9001, 'east', '$canary1', '$canary1@corp.example', 'Finance', 'Spain');
INSERT INTO tickets
WITH t AS (SELECT i, CASE WHEN i % 3 = 0 THEN 'west' ELSE 'east' END AS desk,
    TIMESTAMP '2024-01-01' + to_minutes(CAST(floor(u('at', i) * 1051200) AS INTEGER)) AS made, u('state', i) AS s FROM range(1, 6001) r(i))
SELECT i, desk, 3 * CAST(floor(u('who', i) * 199) AS INTEGER) + CASE WHEN desk = 'west' THEN 3 ELSE 1 END,
    CASE WHEN u('agent?', i) < 0.08 THEN NULL ELSE 3 * CAST(floor(u('agent', i) * 19) AS INTEGER) + CASE WHEN desk = 'west' THEN 3 ELSE 2 END END,
    made, CASE WHEN s > 0.35 THEN made + to_hours(1 + CAST(floor(u('solve', i) * 96) AS INTEGER)) END,
    CASE WHEN s < 0.08 THEN 'new' WHEN s < 0.22 THEN 'open' WHEN s <= 0.35 THEN 'waiting' WHEN s < 0.6 THEN 'solved' ELSE 'closed' END,
    pick(['low', 'normal', 'normal', 'normal', 'high', 'critical'], u('urgency', i)),
    pick(['email', 'email', 'chat', 'phone', 'portal'], u('medium', i)),
    pick(['login', 'printer', 'vpn', 'laptop', 'licence', 'mailbox'], u('category', i)),
    pick(['Cannot sign in', 'Paper jam again', 'Tunnel drops', 'Screen flickers', 'Needs a seat', 'Box is full'], u('title', i)),
    CASE WHEN u('first?', i) < 0.95 THEN 2 + CAST(floor(u('first', i) * u('first2', i) * 480) AS INTEGER) END, u('reopen', i) < 0.11
FROM t ORDER BY i;
INSERT INTO tickets VALUES (90001, 'east', 9001, 2, TIMESTAMP '2025-03-03 09:00:00', NULL, 'open', 'high', 'chat', 'vpn', '$canary2', 12, false);
INSERT INTO comments SELECT i, 1 + CAST(floor(u('ct', i) * 5999) AS INTEGER),
    TIMESTAMP '2024-01-02' + to_minutes(CAST(floor(u('cat', i) * 1050000) AS INTEGER)), u('internal', i) < 0.4,
    pick(['Tried again', 'Please call back', 'Works now', 'Escalated'], u('cb', i)) FROM range(1, 9001) r(i);
INSERT INTO comments VALUES (90001, 90001, TIMESTAMP '2025-03-03 10:00:00', false, 'the key is $canary3 or $number');
INSERT INTO surveys SELECT i, 1 + CAST(floor(u('st', i) * 5999) AS INTEGER),
    DATE '2024-01-05' + CAST(floor(u('sat', i) * 720) AS INTEGER), 1 + CAST(floor(sqrt(u('score', i)) * 5) AS INTEGER), NULL
    FROM range(1, 2501) r(i);
