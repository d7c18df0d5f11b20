"""Emoji of animals, ticks and crosses as the words that a person reads in them."""

import re
from collections.abc import Iterator

from common.text.edits import Edit

# Faces are the animal's own; dragons, unicorns, paw prints and the three wise monkeys are none.
ANIMALS = {
    symbol: name
    for symbols, name in (
        line.split(maxsplit=1)
        for line in """
        🐀 rat
        🐁🐭 mouse
        🐂 ox
        🐃 water buffalo
        🐄🐮 cow
        🐅🐯 tiger
        🐆 leopard
        🐇🐰 rabbit
        🐈🐱 cat
        🐊 crocodile
        🐋🐳 whale
        🐌 snail
        🐍 snake
        🐎🐴 horse
        🐏 ram
        🐐 goat
        🐑 sheep
        🐒🐵 monkey
        🐓 rooster
        🐔 chicken
        🐕🐶🦮 dog
        🐖🐷 pig
        🐗 boar
        🐘 elephant
        🐙 octopus
        🐛 bug
        🐜 ant
        🐝 bee
        🐞 ladybug
        🐟 fish
        🐠 tropical fish
        🐡 pufferfish
        🐢 turtle
        🐣🐤🐥 chick
        🐦 bird
        🐧 penguin
        🐨 koala
        🐩 poodle
        🐪🐫 camel
        🐬 dolphin
        🐸 frog
        🐹 hamster
        🐺 wolf
        🐻 bear
        🐼 panda
        🐿 chipmunk
        🕊 dove
        🕷 spider
        🦀 crab
        🦁 lion
        🦂 scorpion
        🦃 turkey
        🦅 eagle
        🦆 duck
        🦇 bat
        🦈 shark
        🦉 owl
        🦊 fox
        🦋 butterfly
        🦌 deer
        🦍 gorilla
        🦎 lizard
        🦏 rhinoceros
        🦐 shrimp
        🦑 squid
        🦒 giraffe
        🦓 zebra
        🦔 hedgehog
        🦗 cricket
        🦘 kangaroo
        🦙 llama
        🦚 peacock
        🦛 hippopotamus
        🦜 parrot
        🦝 raccoon
        🦞 lobster
        🦟 mosquito
        🦡 badger
        🦢 swan
        🦣 mammoth
        🦤 dodo
        🦥 sloth
        🦦 otter
        🦧 orangutan
        🦨 skunk
        🦩 flamingo
        🦪 oyster
        🦫 beaver
        🦬 bison
        🦭 seal
        🪰 fly
        🪱 worm
        🪲 beetle
        🪳 cockroach
        🪼 jellyfish
        🪿 goose
        🫎 moose
        🫏 donkey
        """.strip().splitlines()
    )
    for symbol in symbols
}
# Further signs of one emoji, joined by an invisible character that is gone by now.
JOINED = {"🐻❄": "polar bear", "🐈⬛": "black cat", "🐕🦺": "dog", "🐦⬛": "blackbird"}
# A form's ☒ is checked as much as its ☑ is.
TICKS = {**dict.fromkeys("✓✔☑✅☒", "yes"), **dict.fromkeys("✗✘❌✖❎", "no"), "☐": "[ ]"}

WORDS = {**JOINED, **ANIMALS, **TICKS}
_SYMBOL = re.compile("(" + "|".join(map(re.escape, WORDS)) + ")\ufe0f?")


def symbols(text: str) -> Iterator[Edit]:
    """Yield the edits that spell out emoji of animals, ticks and crosses as words of their own."""
    if text.isascii():
        return
    end = 0
    for match in _SYMBOL.finditer(text):
        begins = match.start() == end  # or stands behind another one
        start, end = match.span()
        if not begins and not text[start - 1].isspace():
            yield start, start, " "
        yield start, end, WORDS[match[1]]
        if text[end : end + 1].strip():
            yield end, end, " "
