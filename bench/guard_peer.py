"""LLM Guard's Anonymize on the prompt of `bench/scan.py`, in an environment of its own.

    python -m venv guard && guard/bin/pip install llm-guard==0.3.16
    guard/bin/python bench/guard_peer.py prompt.txt

It needs a model of a hub and two of spaCy's, which it downloads when it starts. Where that works, it is measured as it
is. Where it does not, the error is said, and its time is measured with stand-ins: a DeBERTa of the same size with
random weights, a tokeniser trained on the prompt itself (so of fewer tokens than its own), and blank spaCy pipelines
(which cost less than its own). The findings then mean nothing, and the time is a lower bound.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

SIZE = {
    "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
    "vocab_size": 128100, "max_position_embeddings": 512, "relative_attention": True, "position_buckets": 256,
    "pos_att_type": ["p2c", "c2p"], "norm_rel_ebd": "layer_norm", "share_att_key": True, "type_vocab_size": 0,
    "position_biased_input": False, "max_relative_positions": -1, "num_labels": 113,
}  # fmt: skip
"""Configuration that Microsoft published for deberta-v3-base, with a label for each kind of the fine-tuned model."""


def stand_in(folder: Path, text: str) -> None:
    """A model of the same architecture with random weights, and a tokeniser of the prompt."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import DebertaV2Config, DebertaV2ForTokenClassification, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    trainer = trainers.UnigramTrainer(vocab_size=4000, special_tokens=special, unk_token="[UNK]")
    tokenizer.train_from_iterator(text.splitlines(), trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]", model_max_length=512,
    ).save_pretrained(folder)  # fmt: skip
    DebertaV2ForTokenClassification(DebertaV2Config(**SIZE)).save_pretrained(folder)


def anonymizer(folder: Path | None) -> Any:
    """Anonymize as it is, or on stand-ins in a folder."""
    from llm_guard.input_scanners import Anonymize
    from llm_guard.vault import Vault

    if folder is None:
        return Anonymize(Vault())
    import spacy
    from llm_guard.input_scanners.anonymize_helpers import analyzer
    from llm_guard.input_scanners.anonymize_helpers.ner_mapping import DEBERTA_AI4PRIVACY_v2_CONF
    from llm_guard.model import Model
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    def blank(languages: list[str]) -> SpacyNlpEngine:
        engine = SpacyNlpEngine(models=[{"lang_code": code, "model_name": code} for code in languages])
        engine.nlp = {code: spacy.blank("en") for code in languages}
        return engine

    analyzer._get_nlp_engine = blank  # noqa: SLF001  (it would download)
    model = Model(path=str(folder), pipeline_kwargs={"aggregation_strategy": "simple"})
    return Anonymize(Vault(), recognizer_conf={**DEBERTA_AI4PRIVACY_v2_CONF, "DEFAULT_MODEL": model})


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("prompt", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    text = arguments.prompt.read_text("utf-8")
    how = "as it is"
    try:
        made = anonymizer(None)
    except (Exception, SystemExit) as reason:  # noqa: BLE001  (whatever it raises, it does not start)
        print(f"as it is, it does not start: {type(reason).__name__}: {str(reason)[:160]}")
        how = "on stand-ins"
        folder = Path(tempfile.mkdtemp())
        stand_in(folder, text)
        made = anonymizer(folder)
    taken = []
    for _ in range(arguments.rounds):
        started, worked = time.perf_counter(), time.process_time()
        made.scan(text)
        taken.append(((time.perf_counter() - started) * 1000, (time.process_time() - worked) * 1000))
    clock, cpu = (statistics.median(t[i] for t in taken) for i in (0, 1))
    print(
        f"llm guard, {how}: {len(text)} characters, p50 {clock:.0f} ms, {cpu:.0f} ms of processor, least "
        f"{min(t[0] for t in taken):.0f} ms"
    )


if __name__ == "__main__":
    main()
