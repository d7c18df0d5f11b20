"""What a text affirms and what it denies, as the shipped recogniser reads it."""

import json
from collections import Counter

import pytest
from conftest import model_config, script

from benchmarks.claims import REGISTERS, SENTENCES, photo_rules
from engine.claims import ClaimExtractor
from matching.claim import Claim
from matching.taxonomy import Name
from ner.report import ClaimExample, claim_spans, read_claims, report_claims, report_halves


@pytest.fixture(scope="module")
def reader():
    return ClaimExtractor.load()


def misread(sentence: str, expected: object, by_a_hair: bool = False):
    """A row that the shipped model gets wrong; by a hair: some processors may get it right."""
    return pytest.param(sentence, expected, marks=pytest.mark.xfail(strict=not by_a_hair))


# A row reads: the sentence, then its claims; "-" marks a denied one.
@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        # affirmed
        ("There is a cow in the picture.", "cow"),
        ("cow", "cow"),
        ("There is a black cat on the sofa.", "cat"),
        ("The animal in the picture is a cow.", "cow cow"),
        ("The animal in this photo is a horse.", "horse horse"),
        ("The dog in the picture is a husky.", "husky husky"),
        ("This animal is a dog.", "dog dog"),
        ("The only animal here is a cow.", "cow cow"),
        ("My pet is a hamster.", "hamster hamster"),
        ("This animal is called a zebra.", "zebra zebra"),
        ("This animal species is called raccoon.", "raccoon raccoon raccoon"),
        ("The animal in the picture is known as a zebra.", "zebra zebra"),
        ("This animal is called a Siamese cat.", "siamese cat siamese cat"),
        ("This animal is called a German Shepherd.", "german shepherd german shepherd"),
        ("THIS ANIMAL IS CALLED A ZEBRA.", "zebra zebra"),
        ("This species is called Canis lupus.", "wolf wolf"),
        ("This is known as a red panda.", "red panda"),
        ("What animal is this? A cat.", "cat cat"),
        ("A cat sits on the sofa. The animal looks into the camera.", "cat cat"),
        ("A pet dog.", "dog dog"),
        ("Two giraffes and another animal in a field.", "giraffe animal"),
        misread("Dogs and the other animals.", "dog animal"),
        ("The cow in the picture is actually a horse.", "-cow horse"),
        ("No animals here except a cow.", "-animal cow"),
        misread("Two dogs and a kitten play with wolves.", "dog kitten wolf"),
        ("Is that a cow?", "cow"),
        ("Isn't that a cow?", "cow"),
        ("Isn’t there a dog in the picture?", "dog"),
        ("It could be a seal, couldn't it?", "seal"),
        ("Is it a cow or not?", "cow"),
        ("Maybe a squirrel.", "squirrel"),
        ("I'm not sure, but I think it is a fox.", "fox"),
        ("I am not entirely sure it is a fox.", "fox"),
        ("I don't know if it is a cow.", "cow"),
        ("No doubt it is a fox.", "fox"),
        ("Without a doubt, this is a tiger.", "tiger"),
        misread("There is little doubt that it's a lion.", "lion", by_a_hair=True),
        ("I've never seen such a big cow!", "cow"),
        ("You can't miss the elephant.", "elephant"),
        misread("A wolf, if not a fox.", "wolf fox"),
        # denied
        ("There is no cow in the picture.", "-cow"),
        ("no cow", "-cow"),
        ("It isn't a cow.", "-cow"),
        ("It isn’t a cow.", "-cow"),
        ("It is not a cow.", "-cow"),
        ("it isnt a cow", "-cow"),
        ("This cannot be a cow.", "-cow"),
        ("I can't see any dog.", "-dog"),
        ("I don't think it is a cow.", "-cow"),
        ("I have never seen a cow.", "-cow"),
        ("There are no animals in this photo.", "-animal"),
        ("There is not a single lion, tiger or leopard.", "-lion -tiger -leopard"),
        ("There isn't a cow, a horse, or a dog.", "-cow -horse -dog"),
        ("No cats, dogs or horses.", "-cat -dog -horse"),
        ("There is neither a cow nor a horse.", "-cow -horse"),
        ("A picture without any cow.", "-cow"),
        ("A house without a dog and a cat.", "-dog -cat"),
        ("A meadow free of cows.", "-cow"),
        ("The picture lacks a giraffe.", "-giraffe"),
        ("There is no longer a cow.", "-cow"),
        ("It is anything but a bear.", "-bear"),
        ("None of these is a cow.", "-cow"),
        ("No sign of a cow.", "-cow"),
        # denied from behind
        ("The cow is absent.", "-cow"),
        ("The cow and the horse are absent.", "-cow -horse"),
        ("Cows are nowhere to be seen.", "-cow"),
        ("The dog is not visible.", "-dog"),
        ("The tiger is not in the picture.", "-tiger"),
        ("The zebra does not appear in the photo.", "-zebra"),
        ("The zebra cannot be seen.", "-zebra"),
        ("The cow isn't here, the dog is.", "-cow dog"),
        ("A cow-free meadow.", "-cow"),
        ("The animal does not appear to be a cow.", "animal -cow"),
        ("The animal is not a cow.", "animal -cow"),
        misread("The dog is not a husky, it is a poodle.", "poodle -husky poodle"),
        ("The animal is not called a zebra.", "animal -zebra"),
        ("The cat is called Tiger.", "cat"),
        ("The animal is called Tiger.", "animal"),
        ("The animal is absent.", "-animal"),
        ("There is no animal, no dog.", "-animal -dog"),
        ("The cow is not brown.", "cow"),
        ("The cow is missing a horn.", "cow"),
        # both
        ("No cats here, only dogs.", "-cat dog"),
        ("This is not only a cat but also a dog.", "cat dog"),
        ("There is nothing but sheep.", "sheep"),
        ("There is a cow, but no dog.", "cow -dog"),
        ("Not a cow but a horse.", "-cow horse"),
        ("Cows but not horses.", "cow -horse"),
        ("A horse instead of a cow.", "horse -cow"),
        ("Instead of a cow there is a horse.", "-cow horse"),
        ("I see a wolf rather than a dog.", "wolf -dog"),
        ("Unlike a dalmatian, this is a collie.", "-dalmatian collie"),
        ("No, it is a cow.", "cow"),
        ("No cow, a horse.", "-cow horse"),
        ("It's not a cow, it's a horse.", "-cow horse"),
        ("It's not a wolf. It's a dog.", "-wolf dog"),
        ("There is no cat and there is a dog.", "-cat dog"),
        ("A dog, no cat, and a horse.", "dog -cat horse"),
        misread("dog - no cat - horse", "dog -cat horse"),
        ("no dog\n\na cow", "-dog cow"),
        ("There is no dog near the cow.", "-dog cow"),
        ("There is no fence around the cow.", "cow"),
        ("There are no people next to the cow.", "cow"),
        ("No one is near the elephant.", "elephant"),
        ("A man without a hat riding a horse.", "horse"),
        ("The man is not wearing a hat and the cow is brown.", "cow"),
        ("I do not see a dog near the cow.", "-dog cow"),
        ("The cow isn't here and dogs are.", "-cow dog"),
        misread("There are no dogs. Everything is here except cows.", "-dog -cow"),
        ("All animals except dogs.", "animal -dog"),
        ("No animals except a cow.", "-animal cow"),
        ("There are no animals in the picture other than a cow.", "-animal cow"),
        ("No cow; there's a bull elephant with a bear cub.", "-cow elephant bear"),
        ("There is a sofa.", ""),
        ("", ""),
    ],
)
def test_polarity(reader, sentence: str, expected: str) -> None:
    (claims,) = reader.read([sentence])
    read = [("-" if claim.negated else "") + str(claim.animal) for claim in claims]
    assert " ".join(read) == expected


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("There is no cow in the picture.", ["no"]),
        ("A picture without any dog.", ["without"]),
        ("The cow is absent.", ["absent"]),
        ("There is a cow, but no dog.", [None, "no"]),
        ("Neither a wolf nor a fox.", ["Neither", "nor"]),
        ("It isn't a cow.", ["n't"]),
    ],
)
def test_the_cue_is_named(reader, text, cues):
    (claims,) = reader.read([text])
    assert len(claims) == len(cues)
    for claim, cue in zip(claims, cues, strict=True):
        assert claim.cue is None if cue is None else cue in claim.cue


def test_the_command_prints_one_line_a_text(tmp_path):
    file = tmp_path / "texts.txt"
    file.write_text("No cats here, only dogs.\n\nA sofa.\n")
    done = script("matching/claims.py", "--file", file)
    assert done.stdout == "no cats: cat; dogs: dog\nno animal named\nno animal named\n"
    lines = script("matching/claims.py", "--file", file, "--format", "jsonl").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["text"] for row in rows] == ["No cats here, only dogs.", "", "A sofa."]
    fields = {"mention": "cats", "start": 3, "end": 7, "animal": "cat", "negated": True}
    assert rows[0]["claims"][0] == fields | {"cue": "No"}
    assert rows[1]["claims"] == rows[2]["claims"] == []


ODD = {  # texts, and their animals with the place where each begins
    "emoji": ("🙂🙂🐾 👩‍🦰 a 🙃 cow", {12: "cow"}),
    "control characters": ("a \x00cow\x07 and\x1b[31m a dog\u200b", {3: "cow", 19: "dog"}),
    "right to left": ("هناك بقرة في الصورة, not a dog. כלב", {27: "dog"}),
    "another language": ("Auf dem Bild ist keine Kuh, sondern ein Pferd.", {}),
    "combining": ("A dog at the cafe\u0301, no cow.", {2: "dog", 23: "cow"}),
    "one word": ("cow" * 3000, {}),
    "no spaces": (
        "cow,dog;cat/horse\\pig",
        {0: "cow", 4: "dog", 8: "cat", 12: "horse", 18: "pig"},
    ),
    "surrogates": ("a cow \ud83d", {2: "cow"}),
    "punctuation": ("?!.,;:" * 500, {}),
    "spaces": (" \t\n\u00a0\u3000", {}),
}


def test_a_class_of_the_users_own_is_found_without_training(reader):
    text = "There is a snow snark in the picture."
    assert reader.read([text]) == [[]]
    (claim,) = ClaimExtractor.load(classes=["snow_snark"]).read([text])[0]
    assert (claim.mention, claim.animal, claim.negated) == ("snow snark", "snow snark", False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [  # what the text says, as a person reads it: mention, animal, denied
        ("There isn&#39;t a cow.", [("cow", "cow", True)]),
        ("He said: &quot;There is a cow.&quot;", [("cow", "cow", False)]),
        ("There is a cow&nbsp;&amp;&nbsp;a dog.", [("cow", "cow", False), ("dog", "dog", False)]),
        ("A rac\u00adcoon.", [("rac\u00adcoon", "raccoon", False)]),
        ("An ele\u200bphant.", [("ele\u200bphant", "elephant", False)]),
        ("No ｃｏｗ here.", [("ｃｏｗ", "cow", True)]),
        (
            "Ein Deutscher Scha\u0308ferhund.",
            [("Deutscher Scha\u0308ferhund", "german shepherd", False)],
        ),
        ("A cow–horse mix.", [("cow", "cow", False), ("horse", "horse", False)]),
        ("No_cow, a_horse here.", [("cow", "cow", True), ("horse", "horse", False)]),
        misread("No_cow, a horse_riding man.", [("cow", "cow", True), ("horse", "horse", False)]),
        ("There is <b>no</b> <i>cow</i>.", [("cow", "cow", True)]),
        (
            "There is **no** *cow*, only a [dog](https://cats.org).",
            [("cow", "cow", True), ("dog", "dog", False)],
        ),
        ("A photo of an ele-\nphant.", [("ele-\nphant", "elephant", False)]),
        ("A polar\nbear in the snow.", [("polar\nbear", "polar bear", False)]),
        ("Look at him! #GoldenRetriever", [("GoldenRetriever", "golden retriever", False)]),
        ("There are #nodogshere!", [("dogs", "dog", True)]),
        ("There is no 🐄 here, only a 🐈.", [("🐄", "cow", True), ("🐈", "cat", False)]),
    ],
)
def test_texts_are_read_as_a_person_reads_them(reader, text, expected):
    (claims,) = reader.read([text])
    assert [(c.mention, c.animal, c.negated) for c in claims] == expected
    assert [text.index(c.mention) for c in claims] == [c.start for c in claims]


@pytest.mark.parametrize(("text", "animals"), ODD.values(), ids=ODD)
def test_odd_texts_are_read(reader, text, animals):
    (claims,) = reader.read([text])
    assert {c.start: c.animal for c in claims} == animals
    assert all(c.end == c.start + len(c.animal) for c in claims)


def test_a_long_text_is_read_to_its_end_in_linear_time(reader, monkeypatch):
    """Counted in sub-words that the model reads, padding included."""
    model, read = reader.recognizer.model, []

    def counting(batch):
        read.append(batch["input_ids"].size)
        return model(batch)

    monkeypatch.setattr(reader.recognizer, "model", counting)
    sentence = "We had rain all week, and the car broke down near the town. "
    for count in (50, 500):  # 30,000 characters
        text = sentence * count + "There was no cow, but a horse."
        read.clear()
        (claims,) = reader.read([text])
        assert [(c.animal, c.negated) for c in claims] == [("cow", True), ("horse", False)]
        assert 14 * count < sum(read) < 1.5 * 14 * count


@pytest.mark.parametrize(
    ("file", "texts", "categories", "least"), [(SENTENCES, 496, 15, 12), (REGISTERS, 300, 18, 8)]
)
def test_the_development_sets_are_sound(file, texts, categories, least):
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len({row["text"] for row in rows}) == texts
    assert set(Counter(row["split"] for row in rows)) == {"look", "report"}
    counts = Counter((row["category"], row["split"]) for row in rows)
    assert len(counts) == 2 * categories and min(counts.values()) == least
    for row in rows:
        assert row["photos"]
        for claim in row["claims"]:
            assert row["text"][claim["start"] : claim["end"]] == claim["mention"]


@pytest.mark.parametrize(
    ("file", "split", "least"),
    [
        (SENTENCES, "look", 0.97),
        (SENTENCES, "report", 0.97),
        (REGISTERS, "look", 0.82),
        (REGISTERS, "report", 0.8),
    ],
)
def test_claims_of_the_development_sets(reader, file, split, least):
    """0.959, 0.942, 0.737, 0.715 as int8 with AVX-512; other processors may differ a little."""
    examples = [example for example in read_claims(file) if example.split == split]
    claims = reader.read([example.text for example in examples])
    scores = report_claims([e.spans for e in examples], list(map(claim_spans, claims)))
    assert scores["claims_f1"]["value"] > least


def test_each_half_is_scored_by_itself():
    cow = {"start": 2, "end": 5, "negated": False}
    examples = [
        ClaimExample("A cow.", "", half, claims, {})
        for half, claims in (("report", [cow]), ("look", [cow]), ("look", []))
    ]
    names = {"A cow.": [Name(2, 5, "cow", False)]}
    scores = report_halves(examples, lambda texts: [names[text] for text in texts])
    assert [*scores] == ["look", "report"]
    assert [scores[half]["texts"] for half in scores] == [2, 1]
    values = [scores[half]["claims_f1"]["value"] for half in scores]
    assert values == pytest.approx([2 / 3, 1], abs=1e-4)
    denied = Claim("cow", 2, 5, "cow", True)
    assert claim_spans([denied, *names["A cow."]]) == {(2, 5, True), (2, 5, False)}


@pytest.mark.parametrize(
    ("text", "label", "answers"),
    [  # ours; label among mentions; either contains the other; the same, turned round
        ("There is no cow.", "cow", [False, True, True, False]),
        ("Two kittens.", "cat", [True, False, False, False]),
        ("A tabby cat.", "cat", [True, False, True, True]),
        ("A tabby cat, not a dog.", "cat", [True, False, True, False]),
    ],
)
def test_rules_to_compare_with(reader, text, label, answers):
    claims = reader.read([text])
    config = model_config(["cat", "cow", "dog"], claim_threshold=0.5)
    example = ClaimExample(text, "", "", [], {})
    rules = photo_rules([example], claims, config)
    assert [rule(0, label) for rule in rules.values()] == answers
