-- An old warehouse: prefixes, abbreviations, spaces, words of SQL and mixed case as names.
CREATE TABLE "TBL_CUST_MST" ("CUST_NO" INTEGER PRIMARY KEY, "MANDT" VARCHAR NOT NULL, "CUST NAME 1" VARCHAR NOT NULL,
    "E-Mail Addr" VARCHAR, "RGN_CD" VARCHAR NOT NULL, "CRE_DT" DATE NOT NULL);
CREATE TABLE "tblArtikel" ("ArtNr" INTEGER PRIMARY KEY, "MANDT" VARCHAR NOT NULL, "ArtBez" VARCHAR NOT NULL,
    "WGRP" VARCHAR NOT NULL, "VK_PREIS" DECIMAL(10, 2) NOT NULL);
CREATE TABLE "ORD_HDR" ("ORD_NO" INTEGER PRIMARY KEY, "MANDT" VARCHAR NOT NULL,
    "CUST_NO" INTEGER NOT NULL REFERENCES "TBL_CUST_MST" ("CUST_NO"), "ORD_DT" TIMESTAMP NOT NULL, "STAT_CD" VARCHAR NOT NULL CHECK ("STAT_CD" IN ('OPN', 'SHP', 'CXL')),
    "order" INTEGER NOT NULL);
CREATE TABLE "ORD_POS" ("POS_ID" INTEGER PRIMARY KEY, "ORD_NO" INTEGER NOT NULL REFERENCES "ORD_HDR" ("ORD_NO"),
    "ArtNr" INTEGER NOT NULL REFERENCES "tblArtikel" ("ArtNr"), "QTY_ORD" INTEGER NOT NULL, "NET_AMT" DECIMAL(12, 2) NOT NULL);
CREATE TEMP MACRO u(k, i) AS (md5_number_lower(concat('ugly:', k, ':', i)) % 1000003) / 1000003.0;
CREATE TEMP MACRO pick(list, x) AS list[1 + CAST(floor(x * len(list)) AS INTEGER)];
INSERT INTO "TBL_CUST_MST" SELECT i, CASE WHEN i % 2 = 0 THEN '100' ELSE '200' END,
    pick(['Hartwig', 'Brandt', 'Svoboda', 'Rossi', 'Dubois', 'Costa', 'Lind', 'Meyer'], u('n', i)) || pick([' GmbH', ' AG', ' Ltd', ' SARL'], u('n2', i)) || ' ' || i,
    'post' || i || '@firm.example', pick(['NORD', 'SUED', 'WEST', 'OST'], u('r', i)), DATE '2022-01-01' + CAST(floor(u('c', i) * 1000) AS INTEGER)
    FROM range(1, 401) r(i);
INSERT INTO "TBL_CUST_MST" VALUES (9002, '100', '$canary1', '$canary1@firm.example', 'NORD', DATE '2023-01-01');
INSERT INTO "tblArtikel" SELECT i, CASE WHEN i % 2 = 0 THEN '100' ELSE '200' END,
    pick(['Schraube', 'Mutter', 'Dichtung', 'Ventil', 'Pumpe'], u('b', i)) || ' ' || i, pick(['WZ', 'EL', 'HY', 'SO'], u('w', i)),
    round(2 + u('p', i) * 400, 2) FROM range(1, 201) r(i);
INSERT INTO "tblArtikel" VALUES (9002, '100', '$canary2', 'WZ', 12.5);
INSERT INTO "ORD_HDR" SELECT i, CASE WHEN i % 2 = 0 THEN '100' ELSE '200' END,
    2 * CAST(floor(u('cu', i) * 199) AS INTEGER) + CASE WHEN i % 2 = 0 THEN 2 ELSE 1 END,
    TIMESTAMP '2023-01-01' + to_minutes(CAST(floor(u('d', i) * 1576800) AS INTEGER)), pick(['OPN', 'SHP', 'SHP', 'SHP', 'CXL'], u('s', i)),
    1 + CAST(floor(u('o', i) * 9) AS INTEGER) FROM range(1, 4001) r(i);
INSERT INTO "ORD_POS" SELECT i, 1 + CAST(floor(u('po', i) * 3999) AS INTEGER), 1 + CAST(floor(u('pa', i) * 199) AS INTEGER),
    1 + CAST(floor(u('q', i) * 20) AS INTEGER), round(5 + u('amt', i) * 900, 2) FROM range(1, 9001) r(i);
