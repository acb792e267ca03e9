#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies a log of p11guard a second time, from LOG.md and the standard library alone: shares no line with p11guard.

Prints what is damaged; exit code 0: proved, 1: damaged, 3: nothing is wrong, but no key from outside vouches for it.
"""
import argparse
import base64
import functools
import hashlib
import os
import re
import sys

# Ed25519, RFC 8032, section 5.1.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

GONE = sha256(b"\0")  # the leaf of an event that was gone before it was sealed

def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    return (b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P

def multiply(scalar, point):
    result = (0, 1, 1, 0)
    for bit in bin(scalar)[2:]:
        result = add(result, result)
        result = add(result, point) if bit == "1" else result
    return result

def compress(point):
    x, y = (point[place] * pow(point[2], P - 2, P) % P for place in (0, 1))
    return (y | (x & 1) << 255).to_bytes(32, "little")

def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    x = x * ROOT_OF_MINUS_1 % P if (x * x - x2) % P else x
    if y >= P or (x * x - x2) % P or (x == 0 and sign):
        return None
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P

BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))

@functools.lru_cache(maxsize=1 << 16)
def ed25519(public, text, signature):
    key, s = decompress(public), int.from_bytes(signature[32:], "little")
    # A key of small order signs everything.
    if key is None or s >= L or compress(multiply(8, key)) == compress((0, 1, 1, 0)):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % L
    return compress(add(multiply(s, BASE), multiply(k, (P - key[0], key[1], 1, P - key[3])))) == signature[:32]

def unbase64(text, size):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if len(data) == size and base64.b64encode(data).decode() == text else None

class Key:
    def __init__(self, text):
        self.text = text
        self.name, number, public = (text.split("+", 2) + ["", ""])[:3]
        self.public = (unbase64(public, 33) or b"")[1:]
        self.id = sha256(self.name.encode(), b"\n\x01", self.public)[:4]
        self.good = bool(self.name and self.public) and text == "%s+%s+%s" % (
            self.name, self.id.hex(), base64.b64encode(b"\1" + self.public).decode())

class Note:
    """A text, its signatures, and the three lines of a checkpoint; `good` says whether it is one at all."""

    def __init__(self, note):
        self.good, self.signatures, self.note = False, [], note
        head, empty, tail = note.rpartition("\n\n")
        if not empty or not tail.endswith("\n") or re.search("[\x00-\x09\x0b-\x1f]", note):
            return
        self.text = head + "\n"
        for line in tail[:-1].split("\n"):
            match = re.fullmatch("\u2014 ([^\\s+]+) (.*)", line)
            data = unbase64(match[2], 68) if match else None
            if data is None:
                return
            self.signatures.append((match[1], data[:4], data[4:]))
        self.origin, size, root, self.extension = (self.text.split("\n", 3) + [""] * 3)[:4]
        self.root = unbase64(root, 32)
        self.good = bool(self.origin) and bool(re.fullmatch("0|[1-9][0-9]{0,18}", size)) and self.root is not None
        self.size = int(size) if self.good else 0

    def signed_by(self, key):
        by_key = [signature for name, number, signature in self.signatures if (name, number) == (key.name, key.id)]
        return any(ed25519(key.public, self.text.encode(), signature) for signature in by_key)

def notes(text):
    while text:
        end = text.find("\n\n") + 2 if "\n\n" in text else len(text)
        while text.startswith("\u2014", end):
            end = text.find("\n", end) + 1 or len(text)
        yield text[:end]
        text = text[end:]

class Tree:
    """A growing tree: hashes of whole subtrees, each with the number of its leaves."""

    def __init__(self, leaves=()):
        self.size, self.parts = 0, []
        for leaf in leaves:
            self.push(leaf)

    def push(self, leaf):
        self.size, count = self.size + 1, 1
        while self.parts and self.parts[-1][0] == count:
            leaf, count = sha256(b"\1", self.parts.pop()[1], leaf), count * 2
        self.parts.append((count, leaf))

    def root(self):
        hashes = [part for _, part in reversed(self.parts)] or [sha256()]
        return functools.reduce(lambda right, left: sha256(b"\1", left, right), hashes)

def tile_name(level, index, width):
    groups = ["%03d" % (index % 1000)]
    while index >= 1000:
        index //= 1000
        groups.insert(0, "x%03d" % (index % 1000))
    return "tile/%d/%s%s" % (level, "/".join(groups), "" if width == 256 else ".p/%d" % width)

def chain(text, damage):
    epochs = []
    for number, note in enumerate(map(Note, notes(text))):
        origin, _, last = note.origin.rpartition("/") if note.good else ("", "", "")
        lines = note.extension.split("\n") if note.good else []
        good = last == "epochs" and len(lines) == 3 and lines[0] == str(number) and len(note.signatures) == 1
        key = Key(lines[1]) if good else None
        good = good and key.good and key.name == origin
        before = epochs[-1] if epochs else (key, 0)
        good = good and origin == before[0].name and note.size >= before[1] and note.signed_by(before[0])
        good = good and (epochs or note.size == 0 and origin == "p11guard/" + sha256(key.public)[:16].hex())
        if not good:
            return damage("epochs", "certificate %d is wrong" % number) or epochs
        epochs.append((key, note.size, note.root))
    return epochs

def checkpoint(text, epochs):
    """A note of this log, by the key that was in force for its size; else None."""
    note = Note(text)
    if not epochs or not note.good or note.origin != epochs[0][0].name or note.extension:
        return None
    ends = [begin for _, begin, _ in epochs[1:]] + [note.size]
    by = [begin < note.size <= end for (key, begin, _), end in zip(epochs, ends) if note.signed_by(key)]
    return note if by and by[0] else None

def verify(read, segments, key=None, since=None):
    """Reads files by name; returns what is damaged, how many events are sealed, and how many come behind them."""
    found = []

    def damage(file, what):
        found.append("%s: %s" % (file, what))

    def text(name):
        data = read(name)
        return "" if data is None else data.decode("utf-8", "replace")

    epochs = chain(text("epochs"), damage)
    if not epochs:
        damage("epochs", "there is no certificate: nothing in this log is sealed")
        return found, 0, 0
    if key is not None and key not in [epoch[0].text for epoch in epochs]:
        damage("epochs", "the key that was given is no key of this log")
    said, hashes, size, everything = [], {}, 0, text("checkpoints")
    for number, note in enumerate(notes(everything)):
        good = checkpoint(note, epochs)
        if good is None or good.size <= size:
            damage("checkpoints", "note %d is wrong" % number)
            continue
        size = good.size
        hashes[sha256(note.encode()).hex()] = size
        said.append((size, good.root, "note %d" % number))
    if not said:
        damage("checkpoints", "there is no note: nothing in this log is sealed")
    newest = text("checkpoint")
    if not newest or list(notes(everything))[-1:] != [newest]:
        damage("checkpoint", "it is not the newest of all notes")
    said += [(begin, root, "certificate %d" % (number + 1)) for number, (_, begin, root) in enumerate(epochs[1:])]
    good = since is not None and checkpoint(since, epochs)
    if good:
        said.append((good.size, good.root, "the note that was given"))
    elif since is not None:
        damage("epochs", "the note that was given does not fit this log")
    if any(other > size for other, _, _ in said):
        damage("checkpoints", "more was signed than the last note tells of: the end was cut off")
    roots = {other: [(root, where) for size_, root, where in said if size_ == other] for other, _, _ in said}

    tree, unsealed = Tree(), 0

    def grow(leaf):
        if leaf is not None:
            tree.push(leaf)
        for root, where in roots.get(tree.size, []):
            if root != tree.root():
                damage("events", "%s is of another tree of %d events" % (where, tree.size))

    def missing(file, until):
        while tree.size < until:
            # It may have been gone when it was sealed: then the log said so at its next start.
            if stored.get(tree.size) != GONE:
                damage(file, "event %d is missing" % tree.size)
            grow(GONE)

    grow(None)
    stored = tiles(read, size, damage)
    for name in segments:
        first = re.fullmatch(r"([0-9]{12,})\.jsonl", name)
        data = read("events/" + name)
        if first is None or data is None:
            damage("events/" + name, "it is no segment of a log")
            continue
        lines = data.split(b"\n")
        for number, line in enumerate(lines):
            whole = number + 1 < len(lines)
            if not whole and not line:
                break
            match = re.match(rb'\{"index":(0|[1-9][0-9]{0,18}),', line) if whole else None
            index = int(match[1]) if match else None
            if number == 0 and index != int(first[1]) and int(first[1]) < size:
                damage("events/" + name, "it does not begin with the event that it is named after")
            if index is None or index < tree.size:
                if tree.size < size or index is not None and index < size:
                    damage("events/" + name, "a line that is no event, or is there twice, before event %d" % tree.size)
                else:
                    unsealed += whole
                continue
            missing("events/" + name, min(index, size))
            if index >= size:
                unsealed += 1
                continue
            leaf = sha256(b"\0", line)
            if stored.get(index, leaf) != leaf:
                damage("events/" + name, "event %d was changed" % index)
            if b'"event":"checkpoint"' in line[:83]:
                previous = re.search(rb'"previous":\{"sha256":"([0-9a-f]{64})","size":([0-9]+)\}', line)
                if previous and hashes.get(previous[1].decode()) != int(previous[2]):
                    damage("checkpoints", "the note that event %d names is not there" % index)
            grow(leaf)
    missing("events", size)
    return found, size, unsealed

def tiles(read, size, damage):
    """The leaves as the tiles have them; each tile is held against those below it."""
    stored, below, level = {}, None, 0
    while size >> (8 * level):
        count, row = size >> (8 * level), []
        for index in range(-(-count // 256)):
            width = min(256, count - 256 * index)
            data = read(tile_name(level, index, width)) or b""
            if len(data) != 32 * width:
                damage(tile_name(level, index, width), "it is not there, or too long or short")
                data = bytes(32 * width)
            row += [data[at : at + 32] for at in range(0, len(data), 32)]
        if below is None:
            stored = dict(enumerate(row))
        for index, node in enumerate(row if below else []):
            if Tree(below[256 * index : 256 * index + 256]).root() != node:
                damage(tile_name(level, index // 256, 256), "it does not fit the tiles below it")
        below, level = row, level + 1
    return stored

def content(path):
    if os.path.isfile(path):
        with open(path, "rb") as file:
            return file.read()

def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--key", help="a key of the log, or the file that holds it")
    parser.add_argument("--since", help="the file of a note that was exported")
    given = parser.parse_args()
    key = given.key and (content(given.key) or given.key.encode()).decode().strip()
    since = given.since and (content(given.since) or b"").decode()
    events = os.path.join(given.folder, "events")
    segments = sorted(os.listdir(events)) if os.path.isdir(events) else []
    found, size, unsealed = verify(lambda name: content(os.path.join(given.folder, name)), segments, key, since)
    print("".join("DAMAGED  %s\n" % what for what in found), end="")
    print("%d events are sealed, %d behind the last note are not proved" % (size, unsealed))
    print("PROVED" if key and not found else "NOT PROVED")
    return 1 if found else 0 if key else 3

if __name__ == "__main__":
    sys.exit(main())
