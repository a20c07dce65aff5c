"""Time of the scan of a question with a 20 KB prompt, with presidio's default on the whole prompt beside it.

    python bench/scan.py [--quick] [--rounds 200]

Warm: the metadata and the template were scanned before, the question is new each time. The value index holds 100,000
values. LLM Guard's Anonymize is measured too where it is installed with its model; it loads that from a hub at run
time, so without one it cannot be.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from detection_corpus import TABLE_NAMES, load, tables

from redaction.fingerprints import ValueIndex
from redaction.index_builder import IndexBuilder
from redaction.mask import mask
from redaction.scan import ScanConfig, Scanner, scan
from redaction.segments import Message, Segment, SegmentKind, UnscannedPrompt

SIZE = 20_000
KNOWN = frozenset((*TABLE_NAMES, "revenue", "country", "channel"))


def metadata(size: int) -> list[str]:
    """Table blocks of about `size` characters in all."""
    known, blocks = tables("own"), list[str]()
    while sum(map(len, blocks)) < size:
        table = known[len(blocks) % len(known)]
        blocks.append(f"table {table[0]}_{chr(97 + len(blocks) % 26)} ~52000 rows\n" + "\n".join(table[1:]) + "\n")
    return blocks


def prompt(blocks: list[str], question: str) -> UnscannedPrompt:
    """A prompt as `prompts` builds it: instructions, one segment per table, the question."""
    folder = Path(__file__).parent.parent / "prompts" / "templates" / "chart_spec"
    template = sorted(folder.glob("*.j2"))[-1].read_text("utf-8")
    instructions = template.replace("{{", "").replace("}}", "").replace("{%", "").replace("%}", "")
    user = (
        *(Segment(kind=SegmentKind.METADATA, text=block) for block in blocks),
        Segment(kind=SegmentKind.TEMPLATE, text="\nQuestion: "),
        Segment(kind=SegmentKind.QUESTION, text=question),
    )
    return UnscannedPrompt(
        messages=(
            Message(role="system", segments=(Segment(kind=SegmentKind.TEMPLATE, text=instructions),)),
            Message(role="user", segments=user),
        ),
        reply_schema="{}",
        template="chart_spec",
        version="1",
        tokens=5000,
        encoding="o200k_base",
        facts="{}",
        question=question,
    )


def index(values: int) -> ValueIndex:
    """An index of generated values."""
    builder = IndexBuilder(b"benchmark key 16 bytes+")
    builder.add("customers.name", (f"Zq{i:x}lo Works {i % 97}" for i in range(values)))
    return builder.build()


def times(rounds: int, run: Callable[[int], object]) -> list[tuple[float, float]]:
    """Milliseconds of each round: on the clock, and of the processor (other work leaves it alone)."""
    taken = []
    for number in range(rounds):
        started, worked = time.perf_counter(), time.process_time()
        run(number)
        taken.append(((time.perf_counter() - started) * 1000, (time.process_time() - worked) * 1000))
    return taken


def median(taken: list[tuple[float, float]]) -> tuple[float, float]:
    """Medians of both."""
    return statistics.median(t[0] for t in taken), statistics.median(t[1] for t in taken)


def line(name: str, taken: list[tuple[float, float]]) -> str:
    """One line of the table."""
    ordered = sorted(t[0] for t in taken)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    clock, worked = median(taken)
    return f"{name:<46}{len(taken):>6}{clock:>9.2f}{p95:>9.2f}{ordered[0]:>9.2f}{worked:>9.2f}"


def llm_guard() -> Callable[[str], object] | None:
    """LLM Guard's scanner, if it is installed and can load its model."""
    try:
        from llm_guard.input_scanners import Anonymize
        from llm_guard.vault import Vault

        anonymize = Anonymize(Vault())
    except Exception as reason:  # noqa: BLE001  (whatever it raises, it cannot be measured here)
        print(f"LLM Guard not measured: {type(reason).__name__}")
        return None
    return anonymize.scan


def main() -> None:
    """Run and print."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    rounds = 60 if arguments.quick else arguments.rounds
    questions = load("own", per_template=1).questions
    blocks = metadata(SIZE)
    scanner, values = Scanner(ScanConfig()), index(100_000)
    scanner.load()
    cold = times(1, lambda _: scan(prompt(blocks, "first question"), scanner, index=values, known_names=KNOWN))
    for warmup in questions[-5:]:
        scan(prompt(blocks, warmup), scanner, index=values, known_names=KNOWN)

    def ask(number: int) -> object:
        return scan(prompts[number], scanner, index=values, known_names=KNOWN)

    prompts = [
        prompt(blocks, question + f" {number % 7}") for number, question in zip(range(rounds), questions, strict=False)
    ]
    warm = times(rounds, ask)
    again = times(rounds, ask)

    def both(number: int) -> object:
        masked = mask(questions[number] + " please", scanner, index=values, known_names=KNOWN)
        return scan(prompt(blocks, masked.text), scanner, index=values, known_names=KNOWN)

    masked = times(rounds, both)
    from detection import presidio_finder

    find = presidio_finder()
    whole = ["".join(m.text for m in p.messages) for p in prompts]
    find(whole[0][:500])
    peer = times(3 if arguments.quick else 15, lambda number: find(whole[number]))
    guard = llm_guard()
    size = f"{len(whole[0])} characters, {len(blocks)} tables"
    stats = values.stats
    print(
        f"prompt of {size}; {stats.values} indexed values and {stats.parts} parts, {stats.bits_per_value:.0f} bits each"
    )
    print(f"{'milliseconds':<46}{'n':>6}{'p50':>9}{'p95':>9}{'least':>9}{'cpu p50':>9}")
    print(line("scan, warm metadata, new question", warm))
    print(line("scan, everything seen before", again))
    print(line("mask and scan, warm metadata, new question", masked))
    print(line("scan, cold", cold))
    print(line("presidio defaults, whole prompt", peer))
    if guard is not None:
        print(line("LLM Guard Anonymize, whole prompt", times(3, lambda number: guard(whole[number]))))
    (warm_ms, warm_cpu), (peer_ms, peer_cpu) = median(warm), median(peer)
    print(
        f"scan: p50 {warm_ms:.2f} ms warm ({warm_cpu:.2f} ms of processor), {peer_cpu / warm_cpu:.0f} times "
        f"faster than presidio's {peer_ms:.0f} ms ({peer_cpu:.0f} ms of processor)"
    )


if __name__ == "__main__":
    main()
