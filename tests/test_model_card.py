"""The model card: complete, readable, and safe whatever the names are. Read by a Markdown parser that is not ours."""

import ast
import copy
import html.parser
import math

import pytest
from markdown_it import MarkdownIt

from kseq.encoders import ENCODERS
from kseq.model_card import _REQUIRED, model_card


def scores(accuracy=0.8812, names=("negative", "positive"), count=25_000):
    return {
        "count": count,
        "accuracy": accuracy,
        "accuracy_interval": [accuracy - 0.004, accuracy + 0.004],
        "macro_f1": 0.8711,
        "classes": [{"name": name, "precision": 0.9, "recall": 0.8, "f1": 0.85, "support": 12_500} for name in names],
        "confusion_matrix": [[1] * len(names)] * len(names),
        "nll": 0.3,
        "brier": 0.2,
        "ece": 0.0213,
    }


def record(names=("negative", "positive"), **changes):
    content = {
        "name": "imdb-gru-max_mean",
        "version": 3,
        "command": "python -m kseq.run imdb --cell gru",
        "created": "2026-11-21T12:00:00Z",
        "kseq": "0.1.0",
        "versions": {"python": "3.11.7", "tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"},
        "machine": {"processor": "x86_64", "cores": 2},
        "options": {
            "dataset": "imdb", "cell": "gru", "bidirectional": False, "num_layers": 1, "units": 128,
            "embedding_dim": 128, "head": "max_mean", "vocabulary_size": 20_000, "sequence_length": 400,
            "truncation": "head", "optimizer": "adam", "learning_rate": 0.001, "batch_size": 64, "seed": 0,
            "split_seed": 7, "an_option_of_tomorrow": 1,
        },
        "data": {
            "name": "imdb",
            "class_names": list(names),
            "sizes": {"train": 22_500, "validation": 2_500, "test": 25_000, "unlabeled": 50_000},
            "fingerprints": {"train": "0a1b2c3d4e5f6071", "validation": "1a1b2c3d4e5f6071", "test": "2a1b2c3d4e5f6071"},
            "warnings": ["123 test texts also stand in train (0.5% of test): its score is that much flattered."],
        },
        "model": {"parameters": 2_660_000, "vocabulary_size": 20_000, "megabytes": 10.64},
        "seconds": {"data": 5.0, "train": 80.2, "total": 121.4},
        "padding_share": 0.0613,
        "best_epoch": 3,
        "epochs": 5,
        "interrupted": False,
        "validation": scores(0.8901, names, 2_500),
        "test": scores(0.8812, names),
        "test_parts": {"unseen patterns": scores(0.7423, names, 1_200)},
    }  # fmt: skip
    return content | changes


class Page(html.parser.HTMLParser):
    """What a reader's browser would make of a card."""

    def __init__(self, card):
        super().__init__()
        self.tags, self.text, self.rows, self.code, self.items, self._open = [], "", [], [], [], []
        # HTML is let through, as some sites do.
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(card))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "pre":
            self.code.append("")
        elif tag == "li":
            self.items.append("")

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        self.text += data
        if "td" in self._open or "th" in self._open:
            self.rows[-1][-1] += data
        elif "pre" in self._open:
            self.code[-1] += data
        elif "li" in self._open:
            self.items[-1] += data


PLAIN_TAGS = {"h1", "h2", "p", "pre", "code", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}

NASTY = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a | b | c",
    "`code` and ```fence```",
    "```",
    "line\nbreak\r\n\n# heading\n\n<b>",
    "**bold** _slanted_ ~~struck~~",
    "[link](javascript:alert(1))",
    "![picture](http://a.example/x.png)",
    "http://a.example and www.example.org",
    "&lt;b&gt; &amp; &copy;",
    "back\\slash \\| \\",
    "- item",
    "1. item",
    "# heading",
    "> quote",
    "===",
    "$x^2$",
    "]]>--><!-- comment",
    "\x00\x1b[31m\u202e",
    "\udc80",
    "",
    "体育 Спорт",
]


def shown(name):
    """Say what a reader should see of a name: one line, and a sign for whatever cannot be seen."""
    line = " ".join(name.split())
    return "".join("\ufffd" if sign in "\x00\x1b\u202e\udc80" else sign for sign in line)


def test_a_pretraining_is_told_and_none_is_not():
    assert "Before the labels" not in model_card(record())
    assert "Before the labels" not in model_card(record(pretraining=None))
    found = {
        "name": "language_model", "layers": ["embedding", "gru_1"], "texts": 71_704, "held_out": 500,
        "perplexity": 123.456, "interrupted": False,
    }  # fmt: skip
    told = (
        "Before the labels, `embedding` and `gru_1` learned from 71,704 texts of train and the unlabeled ones alone "
        "(`language_model`, to a perplexity of 123.5 on 500 texts that were held out)."
    )
    assert told in model_card(record(pretraining=found))
    assert "held out; the user cut it short)." in model_card(record(pretraining={**found, "interrupted": True}))
    vectors = {**found, "name": "word_vectors", "layers": ["embedding"], "perplexity": None}
    assert "alone (`word_vectors`)." in model_card(record(pretraining=vectors))


def test_a_stranger_finds_what_she_needs():
    page = Page(model_card(record()))
    for fact in (
        "negative, positive", "88.12%", "87.72% to 88.52%", "89.01%", "74.23%", "test: unseen patterns", "2,660,000",
        "10.64 MB", "22,500", "50,000", "0a1b2c3d4e5f6071", "123 test texts also stand in train", "split seed 7",
        "the first 400 words", "20,000", "2.1 percentage points", f"{math.log(2):.4f}", "epoch 3 of 5",
        "80 s", "121 s",
        "6.1% padding", "x86_64", "tensorflow 2.21.0", "kseq 0.1.0", "2026-11-21T12:00:00Z", "not calibrated",
        "from left to right", "max_mean", "0.001",
    ):  # fmt: skip
        assert fact in page.text
    assert ["negative", "0.9000", "0.8000", "0.8500", "12,500"] in page.rows
    assert page.code[-1] == "python -m kseq.run imdb --cell gru\n"
    assert set(page.tags) <= PLAIN_TAGS


def test_it_is_about_a_page():
    card = model_card(record())
    assert len(card.split()) < 900
    assert "None" not in card
    assert "{" not in card


def test_its_python_is_python():
    code = [block for block in Page(model_card(record(name='it\'s "odd" \\ name'))).code if "import" in block]
    assert len(code) == 2
    for block in code:
        ast.parse(block)
    loads = [node for block in code for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call)]
    paths = [node.args[0].value for node in loads if getattr(node.func, "attr", "") == "load"]
    assert paths == ['saved_models/it\'s "odd" \\ name/3', 'saved_models/it\'s "odd" \\ name']


@pytest.mark.parametrize("name", NASTY, ids=ascii)
def test_names_show_as_they_are(name):
    content = record(names=(name, "other"))
    content["data"]["name"] = name
    content["data"]["warnings"] = [name]
    content["data"]["sizes"] = {"train": 1, name or "x": 2}
    content["data"]["fingerprints"] = {"train": name}
    content["test_parts"] = {name: scores()}
    content["machine"]["processor"] = name
    content["options"]["cell"] = content["options"]["head"] = name
    content["name"] = "model " + name
    page = Page(model_card(content))
    assert set(page.tags) <= PLAIN_TAGS
    # Headings and tables are those of the card.
    plain = Page(model_card(record()))
    for tag in ("h1", "h2", "pre", "table"):
        assert page.tags.count(tag) == plain.tags.count(tag)
    assert {len(row) for row in page.rows} == {8, 5, 3}
    assert [shown(name), "0.9000", "0.8000", "0.8500", "12,500"] in page.rows
    assert any(row[0] == f"test: {shown(name)}".strip() for row in page.rows)
    assert page.items[0] == shown(name)
    assert "<script" not in model_card(record(names=(name, "other")))


@pytest.mark.parametrize("command", [*NASTY, "python -m kseq.run 'a\n```\n<script>alert(1)</script>\n```'"], ids=ascii)
def test_a_command_stays_within_its_block(command):
    page = Page(model_card(record(command=command)))
    assert set(page.tags) <= PLAIN_TAGS
    assert page.tags.count("pre") == 3
    assert page.tags.count("h2") == Page(model_card(record())).tags.count("h2")


def test_bare_addresses_are_escaped():
    # Some sites make links of bare addresses; the parser here does not, so the Markdown itself is looked at.
    card = model_card(record(names=("http://a.example", "WWW.example.org")))
    assert r"http\://a.example" in card
    assert r"WWW\.example.org" in card
    assert "://a" not in card.replace(r"\://", "")


def test_the_head_is_named_and_of_attention_its_kind():
    content = record()
    assert "the head max_mean makes one vector" in Page(model_card(content)).text
    content["options"] |= {"head": "attention", "attention": "structured"}
    assert "the head attention (structured) makes one vector" in Page(model_card(content)).text
    # As an earlier version wrote it.
    del content["options"]["attention"]
    assert "the head attention makes one vector" in Page(model_card(content)).text


@pytest.mark.parametrize(
    ("truncation", "wording"),
    [
        ("head", "the first 401 words"),
        ("tail", "the last 401"),
        ("head_tail", "the first 201 and the last 200 words"),
    ],
)
def test_truncation_is_told(truncation, wording):
    content = record()
    content["options"] |= {"truncation": truncation, "sequence_length": 401, "bidirectional": True, "num_layers": 2}
    text = Page(model_card(content)).text
    assert text.count(wording) == 2
    assert "in both directions" in text
    assert "2 layers of 128 gru units each read" in text


SENTENCES = {
    "recurrent": "One layer of 128 gru units reads the first 400 words of a text from left to right;",
    "convolution": "90 filters for each run of 2, 3 and 7 steps slide over the first 400 words of a text;",
    "convolution_recurrent": "slide over the first 400 words of a text, and one layer of 128 gru units reads what they "
    "find from left to right;",
    "transformer": "One Transformer layer lets every step of the first 400 words of a text look at all others, with "
    "128 units in 8 heads and rotary positions;",
    "bag": "No layer reads the first 400 words of a text: the vectors go to the head as they are, whatever their "
    "order;",
}


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_says_what_it_does(encoder):
    chosen = {"encoder": encoder, "kernel_sizes": "2, 3,7", "filters": 90, "num_heads": 8, "position": "rotary"}
    content = record()
    content["options"] |= chosen
    text = Page(model_card(content)).text
    assert SENTENCES[encoder] in text
    assert ("gru" in text.replace("imdb --cell gru", "").replace("imdb-gru", "")) == ("recurrent" in encoder)


def test_one_is_no_plural():
    content = record()
    content["options"] |= {"encoder": "transformer", "num_layers": 3, "num_heads": 1, "position": "sinusoidal"}
    assert "3 Transformer layers let every step" in Page(model_card(content)).text
    assert "128 units in 1 head and sinusoidal positions" in Page(model_card(content)).text
    content["options"] |= {"encoder": "convolution", "kernel_sizes": "4", "filters": 9}
    assert "9 filters for each run of 4 steps slide over" in Page(model_card(content)).text


def test_an_interrupted_run_says_so():
    assert "interrupted" not in model_card(record())
    assert "Training was interrupted" in model_card(record(interrupted=True))
    at_once = model_card(record(interrupted=True, best_epoch=0, epochs=0))
    assert "no epoch ended" in at_once
    assert "curves.png" not in at_once


def test_many_classes_are_cut():
    names = [f"class {place}" for place in range(151)]
    card = model_card(record(names=names))
    assert "class 49 |" in card
    assert "class 50 |" not in card
    assert "the first 50 of 151 classes" in card


def test_without_version_parts_and_warnings():
    content = record(test_parts={})
    del content["version"]
    content["data"]["warnings"] = []
    card = model_card(content)
    assert "Mind" not in card
    assert "scored apart" not in card


@pytest.mark.parametrize("section", _REQUIRED)
def test_a_missing_key_is_named(section):
    content = record()
    del content[section]
    with pytest.raises(ValueError, match=f"lacks '{section}'; it has 'name'|lacks 'name'; it has 'version'"):
        model_card(content)
    for name in _REQUIRED[section]:
        content = copy.deepcopy(record())
        del content[section][name]
        with pytest.raises(ValueError, match=f"lacks '{name}' in '{section}', which has '"):
            model_card(content)


@pytest.mark.parametrize(
    ("measure", "said"), [("accuracy", "is right in 90.00%"), ("subset_accuracy", "gives all labels rightly in 90.00%")]
)
def test_the_linear_model_is_told_of(measure, said):
    assert "linear" not in model_card(record())
    assert "linear" not in model_card(record(baseline=None))
    assert "linear" not in model_card(record(baseline={"left_out": "the run was interrupted"}))
    found = {
        "name": "regression on n-grams",
        "test": {measure: 0.9, f"{measure}_interval": [0.88, 0.92]},
        "comparisons": {"test": {"b": 1_512, "c": 2_112, "p": 1e-9}},
    }
    text = Page(model_card(record(baseline=found))).text
    for fact in (said, "88.00% to 92.00%", "This model is worse", "1,512 texts", "alone in 2,112", "p < 0.001"):
        assert fact in text


def test_files_are_told_of_without_their_place():
    content = record()
    content["data"]["reading"] = {
        "format": "CSV",
        "encoding": "UTF-8",
        "text_column": ["title", "body"],
        "label_column": "kind",
        "files": [{"split": "train", "file": "/home/ann/customers/tickets.csv"}],
        "rows": {"present": 7766, "read": 7765, "skipped": 1},
    }
    card = model_card(content)
    assert "Read from CSV, UTF-8: 7,765 of 7,766 rows, 1 skipped." in card
    assert "The text stands in `title`, `body`, the label in `kind`." in card
    assert "/home/ann" not in card
