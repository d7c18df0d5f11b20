"""Makes ``matching/taxonomy.json``: the names of animals, from WordNet and a hand-written layer.

    python data/taxonomy.py --wordnet /usr/share/wordnet

``taxonomy_everyday.json`` is the hand-written layer: how people speak. It wins wherever it differs
from WordNet, which adds the animal kingdom's other kinds, their Latin names and is-a relations.

- ``concepts``: id -> ``names`` (the id is a name already), ``is_a`` (the concepts above, by any of
  their names, in place of WordNet's), ``also`` (concepts above, besides WordNet's), ``is_no``
  (concepts further above to which it does not belong: a giant panda is a bear and no carnivore),
  ``has`` (concepts right below, besides those that say so themselves), ``mark`` ("basic", "form",
  "family" or "open", see ``matching/taxonomy.py``) and ``wordnet``, the synset that the concept
  stands for: "dolphin#2" is the second sense of the noun, null is none. Without it, that is the
  first animal that one of the concept's names means.
- ``genera``: what "Vulpes sp." is, where that is not the one group that has all of WordNet's kinds
  of the genus.
- ``words``: words that WordNet lacks and that look like misspelt names ("anyone": ankole), from the
  vocabulary of BERT.
- ``plurals``: those of single words that the rules get wrong; they serve every name that ends in
  the word, and [] is for words without one.
- ``drop``: words that name an animal in WordNet and in no one's mouth ("painter", a puma).
- ``without``: synsets that go with all below them ("homo#2").
- ``ambiguous``, ``unambiguous``: names on which tag counts mislead. By rule a name is ambiguous
  when its other senses (noun, verb, adjective) were tagged at least as often as its animal senses,
  or none was ever tagged and another sense comes first.

Where everyday speech and zoology differ, speech decides, and where speech is divided, whatever lets
fewer photos be judged wrongly: a kind that a photo of the class hardly tells apart goes below it.
A border collie is a collie (so is a rough one), a sea lion a seal, a wallaby a kangaroo, a toad a
frog, a raven a crow, a stoat a weasel. A killer whale is a whale and an oceanic dolphin, but
"dolphin" alone does not mean it; a dolphin is no whale. A hyena is no canine, a moose no deer, a
panther is a leopard or a jaguar, a buffalo no bison, and a caterpillar no butterfly.

All checks are made here; what reads the output trusts it. Every spelling that ought to be known is
in there: plurals, names written as one word ("polarbear") or as two ("cat fish"), American and
British spelling.
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.errors import InputError
from data.wordnet import DEFAULT_FOLDER, Sense, Synset, read_inflections, read_nouns, read_senses
from matching.taxonomy import DEFAULT_FILE, ROOT, Concept, Taxonomy, normalise

EVERYDAY = Path(__file__).with_name("taxonomy_everyday.json")
ANIMALS = "05"  # the lexicographer's file noun.animal
# acts, artifacts, body parts, messages, food, groups, objects, people, plants, substances...
THINGS = frozenset(("04", "06", "08", "10", "13", "14", "17", "18", "19", "20", "25", "27"))
RARE = 3  # an animal sense beyond this rank that was never tagged is no one's first thought
MIN_HALF = 3  # letters of either half of a name that is also written as two words ("cat fish")
MIN_JOINED = 7  # letters of a name that is also written as one word ("polarbear")
SOURCE = "WordNet 3.0, Copyright 2006 by Princeton University, changed; see LICENSE-WordNet"
MARKS = ("", "basic", "form", "family", "open")
FIELDS = ("names", "is_a", "also", "is_no", "has", "mark", "wordnet")
GENUS = ("{} sp", "{} spp", "{} species", "genus {}")  # how people write that they do not know more
SPELLINGS = (("gray", "grey"), ("color", "colour"), ("harbor", "harbour"), ("mollusk", "mollusc"))


@dataclass
class Draft:
    """A concept in the making."""

    names: list[str] = field(default_factory=list)
    is_a: list[str] = field(default_factory=list)
    mark: str = ""
    is_no: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Everyday:
    """The hand-written layer; the module's docstring says what the fields mean."""

    concepts: dict[str, dict[str, Any]]
    plurals: dict[str, list[str]]
    drop: list[str]
    without: list[str]
    ambiguous: list[str]
    unambiguous: list[str]
    genera: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> "Everyday":
        """Read the file and check its entries one by one.

        Raises:
            InputError: If it cannot be read or an entry is malformed; the message names it.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            layer = cls(**data)
        except (OSError, ValueError, TypeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{path}: {reason}; see data/taxonomy.py for its format") from error
        for name, entry in layer.concepts.items():
            if not name or name != normalise(name):
                raise InputError(f"{path}: id '{name}' must be lower-case words with single spaces")
            if wrong := set(entry) - set(FIELDS):
                raise InputError(f"{path}: '{name}' has the unknown field '{min(wrong)}'")
            if entry.get("mark", "") not in MARKS:
                marks = ", ".join(MARKS[1:])
                raise InputError(f"{path}: 'mark' of '{name}' must be one of {marks}")
            for part in ("names", "is_a", "also", "is_no", "has"):
                if not isinstance(entry.get(part, []), list):
                    raise InputError(f"{path}: '{part}' of '{name}' must be a list")
        return layer


class WordNet:
    """The animals of WordNet.

    Args:
        nouns: The synsets of all nouns.
        senses: The senses of each lemma.
        without: Synsets to leave out with all below them, as "homo#2".
    """

    def __init__(
        self, nouns: Iterable[Synset], senses: dict[str, list[Sense]], without: Iterable[str] = ()
    ):
        self._senses = senses
        self.senses: dict[str, list[Sense]] = {}
        """The same by normalised lemma: "bow-wow" and "bow wow" are one."""
        for lemma, own in senses.items():
            self.senses.setdefault(normalise(lemma), []).extend(own)
        synsets = {synset.offset: synset for synset in nouns}
        self._files = {offset: synset.file for offset, synset in synsets.items()}
        self.genera = {
            lemma.removeprefix("genus ")
            for synset in synsets.values()
            for lemma in synset.lemmas
            if lemma.startswith("genus ")
        }
        self.kinds: dict[str, list[str]] = {}
        """The synsets of each genus."""
        for synset in synsets.values():
            for lemma in synset.lemmas:
                if lemma.startswith("genus "):
                    genus = normalise(lemma.removeprefix("genus "))
                    self.kinds.setdefault(genus, []).extend(synset.members)
        below: defaultdict[str, list[str]] = defaultdict(list)
        for synset in synsets.values():
            for offset in synset.above:
                below[offset].append(synset.offset)
        barred = {self.offset(name) for name in without}
        self.root = self.offset(f"{ROOT}#1")
        self.animals = {self.root: synsets[self.root]}
        todo = [self.root]
        while todo:
            for offset in below[todo.pop()]:
                synset = synsets[offset]
                if synset.file == ANIMALS and offset not in barred and offset not in self.animals:
                    self.animals[offset] = synset
                    todo.append(offset)

    def offset(self, name: str) -> str:
        """Return the offset of a synset named as in "dolphin#2"."""
        lemma, _, rank = name.partition("#")
        nouns = [s.offset for s in self._senses.get(lemma, []) if s.part == "noun"]
        if not rank.isdigit() or not 0 < int(rank) <= len(nouns):
            raise InputError(f"taxonomy: WordNet has no synset '{name}'")
        return nouns[int(rank) - 1]

    def first(self, name: str) -> str | None:
        """Return the offset of the first animal that a name means."""
        senses = self.senses.get(normalise(name), [])
        return next((s.offset for s in senses if self.is_animal(s)), None)

    def is_animal(self, sense: Sense) -> bool:
        """Tell whether a sense is an animal."""
        return sense.part == "noun" and sense.offset in self.animals

    def tagged(self, synset: Synset) -> int:
        """Return how often a synset was tagged, by whatever lemma."""
        return sum(
            s.count
            for lemma in synset.lemmas
            for s in self.senses.get(normalise(lemma), [])
            if s.part == "noun" and s.offset == synset.offset
        )

    def is_latin(self, name: str) -> bool:
        """Tell "Felis catus" from "Persian cat"."""
        genus, _, rest = name.partition(" ")
        return bool(rest) and genus in self.genera and rest == rest.lower()

    def is_rare(self, name: str) -> bool:
        """Tell whether the animal is far down among a word's senses and was never tagged."""
        senses = self.senses.get(normalise(name), [])
        animal = [(rank, s.count) for rank, s in enumerate(senses, 1) if self.is_animal(s)]
        return bool(animal) and animal[0][0] > RARE and not any(count for _, count in animal)

    def words(self) -> Iterator[str]:
        """Yield every single word, and by the rules of English every inflection of it."""
        for word, senses in self.senses.items():
            if word.isalpha():
                yield from inflections(word, {sense.part for sense in senses})

    def is_ambiguous(self, name: str) -> bool:
        """Tell whether a word means another thing at least as often as the animal."""
        senses = self.senses.get(normalise(name), [])
        animal = sum(s.count for s in senses if self.is_animal(s))
        other = sum(s.count for s in senses) - animal
        if animal or other:
            return other >= animal
        return bool(senses) and not self.is_animal(senses[0])


class Builder:
    """Puts the hand-written layer and WordNet together."""

    def __init__(self, everyday: Everyday, wordnet: WordNet):
        self.everyday = everyday
        self.wordnet = wordnet
        self.concepts: dict[str, Draft] = {}
        self.owner: dict[str, str] = {}  # name -> concept
        self.synset_of: dict[str, str] = {}  # concept -> offset
        self.concept_of: dict[str, str] = {}  # offset -> concept
        self.latin: set[str] = set()

    def build(self) -> dict[str, Draft]:
        """Return the concepts by id, those of the hand-written layer first.

        Raises:
            InputError: If a name has two owners, or an is-a relation is unknown or circular.
        """
        self._take_everyday()
        self._take_wordnet()
        for concept, draft in self.concepts.items():
            draft.is_a = self._above(concept)
        self._take_members()
        self._check()
        for draft in self.concepts.values():
            draft.is_a = [up for up in draft.is_a if not self._is_said(up, draft)]
        self._take_exceptions()
        return self.concepts

    def _take_members(self) -> None:
        """Put the concepts that a group lists right below it."""
        for group, entry in self.everyday.concepts.items():
            for name in entry.get("has", []):
                member = self._owner_of(group, "has", name)
                self.concepts[member].is_a.append(group)

    def _take_exceptions(self) -> None:
        """Note the concepts above to which a concept does not belong."""
        for concept, entry in self.everyday.concepts.items():
            ups = self.concepts[concept].is_a
            above = set(ups).union(*map(self._ancestors, ups)) if "is_no" in entry else set()
            for name in entry.get("is_no", []):
                other = self._owner_of(concept, "is_no", name)
                if other not in above:
                    raise InputError(
                        f"taxonomy: '{concept}' is_no '{name}', which is not above it anyway"
                    )
                self.concepts[concept].is_no.append(other)

    def _is_said(self, up: str, draft: Draft) -> bool:
        """Tell whether a concept above goes without saying.

        It does where another one is below it, but among what a form is a form of, where the finer
        one does: a joey is a young kangaroo, whether a wallaby or not.
        """
        others = [other for other in draft.is_a if other != up]
        if draft.mark == "form":
            return any(other in self._ancestors(up) for other in others)
        return any(up in self._ancestors(other) for other in others)

    def genera(self) -> Iterator[tuple[str, str]]:
        """Yield each genus of animals that people know with the concept that it is.

        Raises:
            InputError: If the hand-written layer names no genus or no concept.
        """
        everyday = self.everyday
        if unknown := everyday.genera.keys() - self.wordnet.kinds.keys():
            raise InputError(f"taxonomy: 'genera' lists '{min(unknown)}', which is no genus")
        for genus, synsets in sorted(self.wordnet.kinds.items()):
            concepts = [self.concept_of[o] for o in synsets if o in self.concept_of]
            if genus in everyday.genera:
                yield genus, self._owner_of(genus, "genera", everyday.genera[genus])
            elif concepts:
                shared = set.intersection(*(self._ancestors(c) | {c} for c in concepts))
                nearest = [c for c in shared if not any(c in self._ancestors(o) for o in shared)]
                if len(nearest) == 1 and nearest[0] in everyday.concepts and nearest[0] != ROOT:
                    yield genus, nearest[0]

    def _owner_of(self, concept: str, part: str, name: str) -> str:
        """Return the concept that the hand-written layer refers to by a name."""
        if normalise(name) not in self.owner:
            raise InputError(f"taxonomy: '{concept}' {part} '{name}', which is no concept")
        return self.owner[normalise(name)]

    def _take_everyday(self) -> None:
        """Add the hand-written concepts and find their synsets."""
        for concept, entry in self.everyday.concepts.items():
            self.concepts[concept] = Draft(mark=entry.get("mark", ""))
            for name in (concept, *entry.get("names", [])):
                self._name(concept, name)
        for concept, entry in self.everyday.concepts.items():
            if "wordnet" in entry:
                offset = entry["wordnet"] and self.wordnet.offset(entry["wordnet"])
            else:
                candidates = map(self.wordnet.first, (concept, *entry.get("names", [])))
                offset = next((c for c in candidates if c and c not in self.concept_of), None)
            if offset:
                if other := self.concept_of.get(offset):
                    raise InputError(f"taxonomy: one synset for both '{other}' and '{concept}'")
                self.concept_of[offset] = concept
                self.synset_of[concept] = offset

    def _take_wordnet(self) -> None:
        """Add WordNet's names to the concepts that are there, and the other synsets as concepts."""
        dropped = {normalise(name) for name in self.everyday.drop}
        # WordNet lists "oxen" under cattle
        dropped.update(p for n in self.owner for p in plurals(n, self.everyday.plurals))
        animals = self.wordnet.animals
        known = [o for o in self.concept_of if o in animals]
        others = sorted(
            animals.keys() - set(known), key=lambda o: (-self.wordnet.tagged(animals[o]), o)
        )
        for offset in (*known, *others):
            names = []
            lemmas = animals[offset].lemmas
            for lemma in sorted(lemmas, key=self.wordnet.is_latin):
                name = normalise(lemma)
                if name in self.owner or name in dropped or self.wordnet.is_rare(lemma):
                    continue
                if self.wordnet.first(lemma) == offset:
                    names.append(name)
                    if self.wordnet.is_latin(lemma):
                        self.latin.add(name)
            if offset not in self.concept_of:
                first = self.owner.get(normalise(lemmas[0]))
                if first in self.everyday.concepts:
                    self.concept_of[offset] = first  # "domestic cat" is a name of "cat"
                elif names:
                    self.concept_of[offset] = names[0]
                    self.concepts[names[0]] = Draft()
                    self.synset_of[names[0]] = offset
                else:
                    continue
            for name in names:
                self._name(self.concept_of[offset], name)

    def _name(self, concept: str, name: str) -> None:
        """Give a name to a concept."""
        spelt = normalise(name)
        if not spelt:
            raise InputError(f"taxonomy: '{concept}' has an empty name")
        other = self.owner.setdefault(spelt, concept)
        if other != concept:
            raise InputError(f"taxonomy: name '{name}' is claimed by {other} and {concept}")
        if spelt != concept and spelt not in self.concepts[concept].names:
            self.concepts[concept].names.append(spelt)

    def halves(self, name: str) -> Iterator[str]:
        """Write "catfish" as two words, but not "blackbird": a black bird is any bird."""
        for i in range(MIN_HALF, len(name) - MIN_HALF + 1):
            head, kind = self.wordnet.senses.get(name[:i], []), self.owner.get(name[i:])
            noun = bool(head) and all(sense.part != "adj" for sense in head)
            if noun and kind and kind in self._ancestors(self.owner[name]):
                yield f"{name[:i]} {name[i:]}"

    def _above(self, concept: str) -> list[str]:
        """Return the concepts right above: the hand-written ones, or those of WordNet and more."""
        entry = self.everyday.concepts.get(concept, {})
        if concept == ROOT:
            return []
        named = []
        for name in entry.get("is_a", entry.get("also", [])):
            named.append(self._owner_of(concept, "is_a", name))
        if "is_a" not in entry and concept in self.synset_of:
            named = [*self._climb(self.synset_of[concept]), *named]
        return [up for up in dict.fromkeys(named) if up != concept] or [ROOT]

    def _climb(self, offset: str) -> Iterator[str]:
        """Find the nearest concepts above a synset, past those that none stands for."""
        for up in self.wordnet.animals[offset].above:
            if up in self.concept_of:
                yield self.concept_of[up]
            elif up in self.wordnet.animals:
                yield from self._climb(up)

    def _check(self) -> None:
        """Check that no is-a relation goes round."""
        done: set[str] = set()

        def visit(concept: str, path: tuple[str, ...]) -> None:
            if concept in path:
                way = " > ".join((*path[path.index(concept) :], concept))
                raise InputError(f"taxonomy: is_a goes round: {way}")
            if concept not in done:
                for up in self.concepts[concept].is_a:
                    visit(up, (*path, concept))
                done.add(concept)

        for concept in self.concepts:
            visit(concept, ())

    def _ancestors(self, concept: str) -> set[str]:
        """Collect all concepts above one."""
        above = set(self.concepts[concept].is_a)
        above = above.union(*(self._ancestors(up) for up in above))
        names = self.everyday.concepts.get(concept, {}).get("is_no", [])
        return above - {self.owner.get(normalise(name), name) for name in names}


def spellings(builder: Builder) -> tuple[dict[str, list[str]], list[str]]:
    """Work out every further spelling of every name.

    Returns:
        The spellings by concept, and those spellings and names that are ambiguous.
    """
    everyday, wordnet = builder.everyday, builder.wordnet
    claimed = dict(builder.owner)
    forms: dict[str, list[str]] = {concept: [] for concept in builder.concepts}
    doubtful = {normalise(n) for n in everyday.ambiguous}
    clear = {normalise(n) for n in everyday.unambiguous}
    if both := doubtful & clear:
        raise InputError(f"taxonomy: '{min(both)}' is listed as ambiguous and as unambiguous")
    if unknown := (doubtful | clear) - builder.owner.keys():
        raise InputError(f"taxonomy: '{min(unknown)}' is listed as (un)ambiguous and names nothing")
    ambiguous: list[str] = []
    for name, concept in builder.owner.items():
        vague = name in doubtful or (name not in clear and wordnet.is_ambiguous(name))
        if vague:
            ambiguous.append(name)
        if name in builder.latin:
            continue
        spelt = [name, *builder.halves(name)]
        for form in dict.fromkeys(
            f for s in spelt for f in variants(s, everyday.plurals, wordnet.senses)
        ):
            if form not in claimed:
                claimed[form] = concept
                forms[concept].append(form)
                if vague:
                    ambiguous.append(form)
    for genus, concept in builder.genera():
        for form in (pattern.format(genus) for pattern in GENUS):
            if form not in claimed:
                claimed[form] = concept
                forms[concept].append(form)
    return forms, ambiguous


def inflections(word: str, parts: Collection[str]) -> Iterator[str]:
    """Yield a word and what it becomes by the rules of English."""
    yield word
    y, e = re.search("[^aeiou]y$", word), word.endswith("e")
    if "noun" in parts or "verb" in parts:
        yield f"{word[:-1]}ies" if y else f"{word}s"
        if re.search("(s|x|z|ch|sh|o)$", word):
            yield f"{word}es"
    if "verb" in parts or "adj" in parts:
        doubles = re.search("[^aeiou][aeiou][^aeiouwxy]$", word)  # "stop", "stopped"
        endings = ("er", "ed", "est", "ing")
        if doubles:
            yield from (f"{word}{word[-1]}{ending}" for ending in endings)
        if not doubles or len(re.findall("[aeiouy]+", word)) > 1:  # "visit", "visited"
            stem = f"{word[:-1]}i" if y else word[:-1] if e else word
            yield from (f"{stem}{ending}" for ending in endings[:3])
            yield f"{word[:-1] if e else word}ing"
        yield f"{word[:-1]}ily" if y else f"{word}ly"


def variants(
    name: str, irregular: dict[str, list[str]], senses: dict[str, list[Sense]]
) -> Iterator[str]:
    """Spell a name in every other way: plural, American or British, joined or parted."""
    singular = [name]
    for pair in SPELLINGS:
        for one, other in (pair, pair[::-1]):
            if re.search(rf"\b{one}", name):
                singular.append(re.sub(rf"\b{one}", other, name))
    words = [*singular, *(p for s in singular for p in plurals(s, irregular))]
    for word in words:
        yield word
        joined = word.replace(" ", "")
        if word.count(" ") == 1 and len(joined) >= MIN_JOINED and joined not in senses:
            yield joined


def plurals(name: str, irregular: dict[str, list[str]]) -> list[str]:
    """Return the plurals of a name: those listed for its last word, or the one by rule."""
    rest, _, word = name.rpartition(" ")
    forms = irregular.get(word)
    if forms is None:
        forms = _by_rule(word)
    return [f"{rest} {form}".strip() for form in forms]


@cache
def _inflector() -> Any:
    """Import ``inflect`` once, and late: it is slow to load."""
    import inflect

    return inflect.engine()


@cache
def _by_rule(word: str) -> list[str]:
    """Return a word's plural by the rules of English."""
    if word.endswith("fish"):
        return [word, f"{word}es"]
    if word.endswith("o"):
        return [f"{word}s", f"{word}es"]
    return [str(_inflector().plural_noun(word) or word)]


def lookalikes(taxonomy: Taxonomy, words: Iterable[str]) -> Iterator[str]:
    """Yield the words that would be taken for misspelt names: "kitchen" is no "chicken"."""
    for word in sorted(set(words)):
        if word.isalpha() and taxonomy.corrected(word) != word and taxonomy.resolve(word):
            yield word


def render(rows: dict[str, Concept], **fields: object) -> str:
    """Write the taxonomy as JSON, one concept a line."""
    head = ",\n".join(f"{_json(name)}: {_json(value)}" for name, value in fields.items())
    listed = {concept: row if row.is_no else row[:-1] for concept, row in rows.items()}
    body = ",\n".join(f"{_json(concept)}: {_json(row)}" for concept, row in listed.items())
    return f'{{{head},\n"concepts": {{\n{body}\n}}}}\n'


def _json(value: object) -> str:
    """Write a value compactly."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def make(folder: Path, layer: Path) -> str:
    """Return the content of the taxonomy file.

    Args:
        folder: WordNet's database.
        layer: The hand-written layer.

    Raises:
        InputError: If a file cannot be read or breaks a rule; the message names the entry.
    """
    everyday = Everyday.read(layer)
    wordnet = WordNet(read_nouns(folder), read_senses(folder), everyday.without)
    builder = Builder(everyday, wordnet)
    concepts = builder.build()
    forms, ambiguous = spellings(builder)
    rows = {
        concept: Concept(draft.names, draft.is_a, draft.mark, forms[concept], draft.is_no)
        for concept, draft in concepts.items()
    }
    known = len(everyday.concepts)
    short = frozenset(name for concept in everyday.concepts for name in (concept, *forms[concept]))
    taxonomy = Taxonomy(rows, everyday=known, short=short)
    ordinary = chain(wordnet.words(), read_inflections(folder), everyday.words)
    words = " ".join(lookalikes(taxonomy, ordinary))
    return render(rows, source=SOURCE, everyday=known, ambiguous=ambiguous, words=words)


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--wordnet", type=Path, default=DEFAULT_FOLDER, metavar="DIR")
    parser.add_argument("--everyday", type=Path, default=EVERYDAY, metavar="FILE")
    parser.add_argument("--output", type=Path, default=DEFAULT_FILE, metavar="FILE")
    return parser


def main() -> int:
    """Write the taxonomy."""
    args = get_args_parser().parse_args()
    content = make(args.wordnet, args.everyday)
    args.output.write_text(content, encoding="utf-8")
    concepts = json.loads(content)["concepts"]
    names = sum(1 + len(row[0]) for row in concepts.values())
    forms = sum(len(row[3]) for row in concepts.values())
    print(f"{len(concepts)} concepts  {names} names  {forms} further spellings")
    return 0


if __name__ == "__main__":
    run(main)
