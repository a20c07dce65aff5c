"""Keys, tokens, passwords and connection strings, by the shapes their issuers publish."""

from __future__ import annotations

from typing import Final

from presidio_analyzer import Pattern

from redaction.recognizers.strict import StrictPatterns

_EXACT: Final = 0
_SHAPES: Final[tuple[tuple[str, str, float], ...]] = (
    ("private key", r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----", 1.0),
    ("json web token", r"(?<![\w\-])eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]{0,2048}", 1.0),
    ("openai-style", r"(?<![\w\-])sk-(?:(?:proj|ant|svcacct|or)-[A-Za-z0-9_\-]{4,}|[A-Za-z0-9_\-]{16,})", 1.0),
    ("own", r"(?<![\w\-])rwl_(?:live|test)_\w{8,}", 1.0),
    ("stripe-style", r"(?<![\w\-])(?:sk|rk|pk|whsec)_(?:live|test)?_?[A-Za-z0-9]{16,}", 1.0),
    ("aws access key", r"(?<![A-Z0-9])(?:AKIA|ASIA|AROA|AIDA)[A-Z2-7]{16}(?![A-Z0-9])", 1.0),
    ("github", r"(?<![\w\-])(?:gh[pousr]_[A-Za-z0-9]{8,}|github_pat_\w{22,})", 1.0),
    ("gitlab", r"(?<![\w\-])gl(?:pat|dt|rt|cbt)-[\w\-]{8,}", 1.0),
    ("slack", r"(?<![\w\-])xox[abeoprs]-[\w\-]{10,}", 1.0),
    ("google", r"(?<![\w\-])AIza[\w\-]{35}", 1.0),
    ("google oauth", r"(?<![\w\-])ya29\.[\w\-]{20,}", 1.0),
    ("hugging face", r"(?<![\w\-])hf_[A-Za-z0-9]{16,}", 1.0),
    ("npm or pypi", r"(?<![\w\-])(?:npm_[A-Za-z0-9]{36}|pypi-[\w\-]{40,})", 1.0),
    ("sendgrid", r"(?<![\w\-])SG\.[\w\-]{16,}\.[\w\-]{16,}", 1.0),
    ("twilio", r"(?<![\w\-])(?:AC|SK)[0-9a-f]{32}(?![0-9a-f])", 0.9),
    ("url with password", r"(?i:\b[a-z][a-z0-9+.\-]{1,20})://[^\s:/@]{0,64}:[^\s@]{1,128}@\S{1,512}", 1.0),
    (
        "key=value connection string",
        r"(?i:\b(?:host|server|data source|user id|uid|dbname|database)\s{0,2}=[^;\n]{1,80}"
        r"[; ][^\n]{0,120}\b(?:pwd|password)\s{0,2}=\s{0,2}\S{3,})",
        1.0,
    ),
    (
        "named secret",
        r"(?i:\b(?:password|passwd|pwd|passphrase|secret|api[_ \-]?key|access[_ \-]?key|auth[_ \-]?token|bearer"
        r"|token|passwort|kennwort|mot de passe|contraseña|senha|palavra-passe|wachtwoord|hasło|heslo|lösenord"
        r"|adgangskode|passord|salasana|parolă|şifre|jelszó|пароль)\b\s{0,2}"
        r"(?:(?:is|ist|est|es|é|è|jest|är|er|je|lautet) |=|:)\s{0,2})[\"']?(?=\S*[\d!@#$%^&*])[^\s\"',;]{6,}",
        0.9,
    ),
    (
        "password without a word between",
        r"(?i:\b(?:password|passwd|pwd|passwort|kennwort|mot de passe|contraseña)) "
        r"(?=\S*\d)(?=\S*[!@#$%^&*]|\S*[a-z]\S*[A-Z]|\S*[A-Z]\S*[a-z])[^\s\"',;]{7,}",
        0.8,
    ),
    ("authorization header", r"(?i:\b(?:bearer|basic)\s+)(?=\S*\d)[A-Za-z0-9._~+/\-]{20,}={0,2}", 0.9),
    (
        "long hex key",
        r"(?<![0-9A-Za-z\-])(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{40,}(?![0-9A-Za-z])",
        0.7,
    ),
)


class SecretRecognizer(StrictPatterns):
    """Anything that opens something. A question that holds one is refused by the default policy."""

    def __init__(self, language: str) -> None:
        super().__init__(
            supported_entity="SECRET",
            name="Secret",
            supported_language=language,
            global_regex_flags=_EXACT,
            patterns=[Pattern(name, shape, score) for name, shape, score in _SHAPES],
        )
