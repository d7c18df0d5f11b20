"""A text encoder is a name: others than BERT go through the same commands."""

import json

import numpy as np
import pytest
from conftest import ANIMALS, PLACES, script

from common.encoders.text import TextEncoder, create_text_encoder
from common.errors import InputError

TINY = {"vocab_size": 400, "max_position_embeddings": 66, "initializer_range": 0.1}


@pytest.fixture(scope="session")
def tiny_roberta(tmp_path_factory):
    """A random RoBERTa of two layers: other special tokens than BERT's, no token types."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig, RobertaModel, RobertaTokenizerFast

    folder = tmp_path_factory.mktemp("roberta")
    tokenizer = ByteLevelBPETokenizer(add_prefix_space=True)
    tokenizer.train_from_iterator(
        [" ".join((*ANIMALS, *PLACES, "A No lives in ."))] * 3,
        vocab_size=400,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        show_progress=False,
    )
    tokenizer.save_model(str(folder))
    RobertaTokenizerFast.from_pretrained(str(folder)).save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = RobertaConfig(intermediate_size=64, type_vocab_size=1, **sizes, **TINY)
    RobertaModel(config).save_pretrained(folder)
    return folder


def test_roberta_is_trained_exported_and_asked(tiny_roberta, tagged, tmp_path):
    script(
        *("ner/train.py", "--data", tagged, "--output", tmp_path, "--base-model", tiny_roberta),
        *("--epochs", 4, "--batch-size", 8, "--learning-rate", 3e-3, "--ema-decay", 0.9),
        *("--head-learning-rate", 1e-2),
    )
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == ["RobertaForTokenClassification"]
    own = config["faunacheck"]
    assert (own["window"], own["overlap"]) == (64, 16)  # RoBERTa counts positions from 2
    script("ner/export.py", "--model", tmp_path, "--data", tagged / "validation.jsonl")
    text = "A red fox lives in New York. " * 12  # several windows
    done = script("ner/inference.py", "--model", tmp_path, "--text", text, "--format", "json")
    found = [(e["text"], e["label"]) for e in json.loads(done.stdout)["entities"]]
    expected = [("red fox", "ANIM"), ("New York", "LOC")]
    assert found[:2] == expected  # later positions occur in no training sentence
    assert sum(found.count(entity) for entity in expected) > 12


def test_special_tokens_come_from_the_tokenizer(tiny_roberta):
    from ner.model import build

    _, preprocess = build(str(tiny_roberta))
    token = preprocess.tokenizer.id_to_token
    assert [token(i) for i in (*preprocess.before, *preprocess.behind)] == ["<s>", "</s>"]
    assert (token(preprocess.pad_id), token(preprocess.mask_id)) == ("<pad>", "<mask>")


def bare(kind):
    """A random model of transformers."""
    import transformers

    sizes = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
    if kind != "DistilBert":
        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = getattr(transformers, f"{kind}Config")(**sizes, **TINY)
    return getattr(transformers, f"{kind}Model")(config).eval()


@pytest.mark.parametrize(("kind", "types"), [("Bert", True), ("DistilBert", False)])
def test_marks_change_features_once_they_are_learned(kind, types):
    import torch

    ids = torch.arange(10, 18).reshape(2, 4)
    marks = torch.tensor([[0, 1, 2, 3], [0, 0, 0, 0]])
    model = bare(kind)
    with torch.inference_mode():
        expected = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        encoder = TextEncoder(model, 4).eval()
        found = encoder(ids, torch.ones_like(ids), marks)
        assert np.allclose(found, expected, atol=1e-6)
        assert (encoder.marks is None) == types
        table = encoder.marks or model.embeddings.token_type_embeddings
        assert table.weight.shape == (4, encoder.width == 32 and 32)
        table.weight[1:] += 1.0 * torch.arange(32)
        changed = encoder(ids, torch.ones_like(ids), marks)
    assert not np.allclose(changed[0], expected[0], atol=1e-3)
    assert np.allclose(changed[1], expected[1], atol=1e-6)


def test_a_folder_without_an_encoder(tmp_path):
    with pytest.raises(InputError, match=f"no text encoder at {tmp_path}"):
        create_text_encoder(str(tmp_path), 4)
