"""Words for a street, by where they stand, and the ways a house is numbered: patterns that `address` puts together.

The lists are of what national addressing guides and gazetteers call the parts of an address: USPS Publication 28 (C1),
the street types of AS/NZS 4590, and by hand for the other countries.
"""

from __future__ import annotations

from typing import Final

COMMON: Final = (
    r"street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|terrace|crescent|highway|hwy|parkway|pkwy|"
    r"mews|alley|esplanade|promenade|marg|chowk|nagar|zila|vihar|puram|ganj|bagh|indawo|umgwaqo|ithafa|"
    r"isitaladi|indlela"
)
"""Endings of street names that end nothing else; in any case."""
RARE: Final = (
    r"Annex|Arcade|Avenue|Bayou|Beach|Bend|Bluffs?|Bottom|Branch|Bridge|Brooks?|Burgs?|Bypass|Camp|Canyon|Cape|Causeway|"
    r"Centers?|Centre|Circles?|Cliffs?|Close|Club|Common|Corners?|Course|Courts|Coves?|Creek|Crest|Crossing|Crossroad|"
    r"Curve|Dale|Dam|Divide|Drives|Estates?|Expressway|Extensions?|Falls?|Ferry|Fields?|Flats?|Fords?|Forest|Forges?|"
    r"Forks?|Fort|Freeway|Gardens?|Gateway|Glens?|Greens?|Groves?|Harbors?|Haven|Heights|Hills?|Hollow|Inlet|Islands?|"
    r"Isle|Junctions?|Keys?|Knolls?|Lakes?|Landing|Lights?|Loaf|Locks?|Lodge|Loop|Manors?|Meadows?|Mills?|Mission|"
    r"Motorway|Mountains?|Mount|Neck|Orchard|Oval|Overpass|Parks?|Parkways|Passage|Pass|Path|Pike|Pines?|Place|Plains?|"
    r"Plaza|Points?|Ports?|Prairie|Radial|Ramp|Ranch|Rapids?|Rest|Ridges?|River|Roads|Route|Row|Run|Shoals?|Shores?|"
    r"Skyway|Springs?|Spurs?|Squares?|Station|Stravenue|Stream|Streets|Summit|Throughway|Trace|Track|Trafficway|Trail|"
    r"Parade|Circuit|Quays?|Rise|Strand|Wharf|Approach|Nook|Gate|Rue|Boardwalk|"
    r"Tunnel|Turnpike|Underpass|Unions?|Valleys?|Via|Viaduct|Views?|Villages?|Ville|Vista|Walks?|Wall|Ways?|Wells?"
)
"""Endings that are ordinary words too: only with a capital, after a name."""
SELDOM: Final = (
    r"Access|Amble|Anchorage|Bank|Basin|Bowl|Brae|Break|Brow|Byway|Chase|Circlet|Circus|Colonnade|Colony|Concourse|"
    r"Copse|Cowal|Cross|Cutting|Dell|Dene|Deviation|Dip|Domain|Down|Edge|Elbow|Enclave|End|Entrance|Fairway|Fold|"
    r"Follow|Footway|Foreshore|Frontage|Gap|Garth|Glade|Grange|Gully|Hatch|Heath|Interchange|Intersection|Laneway|"
    r"Layout|Link|Little|Lookout|Lower|Mall|Mead|Outlook|Pathway|Piazza|Pocket|Quad|Quadrangle|Quadrant|Range|Reserve|"
    r"Retreat|Return|Ride|Ridgeway|Roadway|Ring|Round|Siding|Slope|Sound|Steps|Subdivision|Subway|Tarn|Top|Tor|Towers?|"
    r"Triangle|Upper|Vale|Warren|Wood|Wynd|Yard"
)
"""Endings that are ordinary words first: only after a name for sure, or where a place is spoken of."""
ALONE: Final = (
    r"Broadway|Piccadilly|Cheapside|Whitehall|Strand|Haymarket|Bowery|Queensway|Kingsway|Aldwych|"
    r"Pall Mall|Poultry|Minories|"
    r"Eastgate|Westgate|Northgate|Southgate|Bridgegate|Cornmarket|Kurfürstendamm"
)
"""Streets of English-speaking towns that are called nothing else."""
ATTACHED: Final = (
    r"straße|strasse|str\.|gasse|platz|weg|allee|ring|damm|ufer|chaussee|pfad|steig|graben|twiete|brücke|promenade|"
    r"gürtel|zeile|gässli|hof|laan|straat|plein|kade|gracht|singel|dreef|steeg|baan|boulevard|dijk|kaai|"
    r"gatan|vägen|gränd|gränden|stigen|backen|torget|brinken|kajen|gade|vej|alle|allé|stræde|toften|parken|vænget|"
    r"plads|torv|torvet|veien|vegen|gata|gate|stien|svingen|tunet|faret|kroken|haugen|berget|stranda|toppen|engen|"
    r"høgda|høyden|åsen|bekken|teigen|katu|tie|kuja|polku|puistikko|bulevardi|puistotie|puistokuja|eggen|løkka|marka|grenda|skrenten|ringen|tjernet|jordet|kollen|myra|bråten|stubben|alléen|plassen|ranta|rinne|aukio|raitti"
)
"""Germanic and Finnish words for a street, written as one with its name or after it, with the number last."""
FIRST: Final = (
    r"chaussée|chaussee|steenweg|rue|avenue|ave?\.|av|boulevard|bou?l?v?d\.?|blv\.?|chemin|impasse|quai|allée?s?|route|montée|ruelle|sentier|faubourg|venelle|"
    r"rang|résidence|lotissement|"
    r"calle|c\.|c/|cl\.|avenida|avda\.?|plaza|paseo|p[ºo]\.|carrera|callejón|callejon|calzada|privada|andador|corredor|"
    r"circuito|cerrada|peatonal|diagonal|retorno|periférico|viaducto|prolongación|circunvalación|continuación|"
    r"ampliación|cuesta|cañada|urbanización|glorieta|ronda|rambla|jirón|jr\.|pasaje|psje\.?|pje\.?|camino|acceso|vial|travesía|carretera|"
    r"pasadizo|alameda|eje vial|carrer|passeig|plaça|avinguda|"
    r"viale|v\.le|piazza|p\.z?za|piazzale|corso|c\.so|vicolo|largo|strada|borgo|incrocio|stretto|contrada|rotonda|"
    r"canale|via|salita|lungomare|località|loc\.|frazione|fraz\.|"
    r"rua|r\.|travessa|tv\.|praça|pç?a\.|praceta|beco|calçada|estrada|rodovia|passarela|colônia|sítio|feira|lago|"
    r"condomínio|conjunto|distrito|esplanada|estação|favela|fazenda|jardim|bul\.|bulevar|ladeira|loteamento|morro|núcleo|parque|"
    r"pátio|praia|quadra|recanto|residencial|setor|trecho|trevo|vale|vereda|viaduto|viela|vila|área|chácara|aeroporto|"
    r"ulica|ul\.|aleja|al\.|aleje|plac|pl\.|osiedle|os\.|rondo|skwer|bulwar|náměstí|nám\.|třída|tř\.|nábřeží|nábř\.|"
    r"trg|cesta|put|šetalište|str\.|bulevardul|b-?dul\.?|aleea|[sș]oseaua|[sș]os\.|drumul|intrarea|calea|pia[tț]a|"
    r"splaiul|jalan|jl\.|gang|gg\.|kampung|"
    r"улица|ул\.|переулок|пер\.|проспект|пр-т|просп\.|пр\.|бульвар|бул\.|бул|б-р|набережная|наб\.|шоссе|ш\.|аллея|"
    r"алл\.|площадь|пл\.|проезд|вулиця|вул\.|провулок|пров\.|площа|сквер|шосе|алея|"
    r"οδός|οδ\.|λεωφόρος|λεωφ\.|πάροδος|πάρ\.|πλατεία|đường|phố|sokak|رحوב|שדרות|רחוב|شارع"
)
"""Words for a street before its name, with the number last."""
AFTER: Final = (
    r"vía|street lower|utca|u\.|út|útja|tér|tere|körút|krt\.|fasor|köz|sétány|rakpart|"
    r"sokak|sokağı|sok\.|sk\.|caddesi|cad\.|cd\.|bulvarı|blv\.|mahallesi|mah\.|"
    r"gatvė|g\.|pr\.|prospektas|skersgatvis|plentas|iela|prospekts|bulvāris|gatve|tänav|tn|pst|puiestee|maantee|mnt|"
    r"ulica|cesta|trg|put|pot|steza|štradon|nabrežje|naselje|perivoj|prečac|šetalište|prilaz|odvojak|stube|podhod|vrh|náměstí|námestie|nábřeží|nábrežie|"
    r"třída|údolie|sady|ulice|katu|kuja|polku|bulevardi|puistokatu|allé|alle|vej|gade|plads|gatan|vägen|gata|gate|vei|ქ\.|ქუჩა"
)
"""Words for a street after its name, with the number last."""
ENGLISH_TOO: Final = frozenset(
    {
        "avenue", "boulevard", "route", "plaza", "diagonal", "promenade", "via", "vale", "gang", "put", "pot",
        "corridor", "residence", "vial", "camino", "esplanada", "rang", "lago", "os", "strada", "ronda", "tie", "av",
        "gate", "ring", "hof",
    }
)  # fmt: skip
"""Words for a street that an English question may hold for another reason: only with a capital."""

LEADING: Final = (
    r"(?:Am|An der|An den|Auf de[mr]|Im|In de[rmn]|Zu[mr]|Beim|Unter de[mnr]|Hinter de[mr]|Vor dem|Alter?|Neuer?|Große|"
    r"Kleine|Obere|Untere)"
)
"""How German street names begin that go on in a word of their own."""
SMALL: Final = r"(?:(?i:de|del|della|di|la|le|los|las|du|des|da|do|dos|e|d'|l'|san|santa|eje) ?){0,3}"
NUMBERED: Final = r"(?i:n[º°o]?[.:]? ?[.:]? ?|nr[.:]? ?|num\.? ?|núm\.? ?|no[.:] ?|# ?|№ ?|д\. ?|буд\. ?|č\. ?|br\. ?)?"
"""What says that a number is of a house."""
HOUSE: Final = r"(?:\d{1,5}(?: ?[A-Za-z](?!\w))?(?: ?[/\-] ?\d{1,5}[A-Za-z]?(?!\w))?\.?|(?i:s/n\b))"
"""A house number: 12, 12b, 12 b, 15/3, 4-6; or that there is none."""
UNIT: Final = (
    r"(?:[ ,]{1,3}(?i:apt|apartment|appartamento|app|suite|ste|unit|flat|floor|room|edif|depto|dpto|interior|int|piso|"
    r"of|ofic|puerta|pta|esc|piano|scala|bl|sc|ap|et|byt|lok|daire|kat|k|кв|стр|к|корп|эт|rd|bus|bte|tv|th|"
    r"door|phase|#)(?:\.? |\.|(?=\d))(?:\d\w{0,5}|[A-Z](?!\w))(?:/\w{1,4})?|"
    r",? ?\d{1,2}\.? ?(?:tv|th|mf)\.?(?!\w)| ?,? ?\d{1,2}[oa°](?: ?[A-Z]{1,4})?(?!\w)){0,3}"
)
"""What follows a house number: a floor, a flat, a staircase. Ordinal signs are letters here (NFKC): "3o B"."""
