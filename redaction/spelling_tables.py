"""Tables by which spelt-out letters and digits are read: number words, the spelling alphabet, Morse, Braille."""

from __future__ import annotations

from typing import Final

_NUMBER_WORDS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince",
    "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici",
    "zero um dois três quatro cinco seis sete oito nove dez onze doze",
    "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf",
    "noll ett två tre fyra fem sex sju åtta nio tio",
    "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć",
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"

DIGIT_WORDS: Final[dict[str, str]] = (
    {word: str(value) for words in _NUMBER_WORDS for value, word in enumerate(words.split())}
    | {word: str(10 * value) for value, word in enumerate(_TENS.split(), start=2)}
    | {"oh": "0", "nought": "0", "zwo": "2", "ein": "1"}
)
"""Number words up to nineteen and tens, in nine languages, as digits."""

_ALPHABET: Final = """
alfa|alpha bravo charlie delta echo foxtrot golf hotel india juliett|juliet kilo lima mike november oscar papa quebec
romeo sierra tango uniform victor whiskey|whisky x-?ray yankee zulu
"""
NATO: Final = tuple(_ALPHABET.split())
"""The spelling alphabet (ICAO), as patterns in the order of the letters."""

_MORSE_CODES: Final = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .--.-. .-.-.- -....- ..--.-"
)
MORSE: Final[dict[str, str]] = dict(zip(_MORSE_CODES.split(), "abcdefghijklmnopqrstuvwxyz0123456789@.-_", strict=True))
"""International Morse code. Source: ITU-R M.1677-1."""

BRAILLE: Final[dict[str, str]] = dict(
    zip("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵⠈⠲⠤", "abcdefghijklmnopqrstuvwxyz@.-", strict=True)
)
"""Grade 1 Braille letters, with the signs of an address."""
