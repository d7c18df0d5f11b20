"""What a text affirms and what it denies; the mentions come from the taxonomy, not from a model."""

import pytest

from matching.claims import Claim, Mention, describe, read_claims
from matching.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load()


def claims_of(text: str) -> list[Claim]:
    mentions = [Mention(text[start:end], start, end) for start, end, _ in TAXONOMY.find(text)]
    return read_claims(text, mentions, TAXONOMY)


# A row reads: the sentence, then its claims; "-" marks a denied one.
@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        # affirmed
        ("There is a cow in the picture.", "cow"),
        ("cow", "cow"),
        ("Two dogs and a kitten play with wolves.", "dog kitten wolf"),
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
        ("There is little doubt that it's a lion.", "lion"),
        ("I've never seen such a big cow!", "cow"),
        ("You can't miss the elephant.", "elephant"),
        ("A wolf, if not a fox.", "wolf fox"),
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
        ("dog - no cat - horse", "dog -cat horse"),
        ("no dog\n\na cow", "-dog cow"),
        ("There is no dog near the cow.", "-dog cow"),
        ("There is no fence around the cow.", "cow"),
        ("There are no people next to the cow.", "cow"),
        ("No one is near the elephant.", "elephant"),
        ("A man without a hat riding a horse.", "horse"),
        ("The man is not wearing a hat and the cow is brown.", "cow"),
        ("I do not see a dog near the cow.", "-dog cow"),
        ("The cow isn't here and dogs are.", "-cow dog"),
        ("There are no dogs. Everything is here except cows.", "-dog -cow"),
        ("All animals except dogs.", "animal -dog"),
        ("No animals except a cow.", "-animal cow"),
        ("There are no animals in the picture other than a cow.", "-animal cow"),
        ("No cow; there's a bull elephant with a bear cub.", "-cow elephant bear"),
        ("There is a sofa.", ""),
        ("", ""),
    ],
)
def test_polarity(sentence: str, expected: str) -> None:
    read = [("-" if claim.negated else "") + str(claim.animal) for claim in claims_of(sentence)]
    assert " ".join(read) == expected


def test_a_claim_keeps_its_mention_and_the_order_of_the_text() -> None:
    text = "There is a killer whale, but no dogs."
    mentions = [Mention("dogs", 32, 36), Mention("killer whale", 11, 23)]
    claims = read_claims(text, mentions, TAXONOMY)
    assert [claim.to_json() for claim in claims] == [
        {"mention": "killer whale", "start": 11, "end": 23, "animal": "killer whale"}
        | {"negated": False},
        {"mention": "dogs", "start": 32, "end": 36, "animal": "dog", "negated": True},
    ]
    assert describe(claims) == "killer whale: killer whale; no dogs: dog"
    assert describe([]) == "no animal named"


def test_a_mention_that_the_taxonomy_does_not_know_has_no_animal() -> None:
    claims = read_claims("There is no snark.", [Mention("snark", 12, 17)], TAXONOMY)
    assert claims == [Claim("snark", 12, 17, None, True)]
    assert describe(claims) == "no snark: unknown"


def test_a_cue_inside_a_mention_is_no_cue() -> None:
    text = "The no horn cow stands by a horse."
    claims = read_claims(text, [Mention("no horn cow", 4, 15), Mention("horse", 28, 33)], TAXONOMY)
    assert [claim.negated for claim in claims] == [False, False]


def test_a_long_text_is_read_to_its_end() -> None:
    claims = claims_of("There is no cow, dog and a horse, " * 3000)
    assert [claim.negated for claim in claims] == [True, True, False] * 3000
