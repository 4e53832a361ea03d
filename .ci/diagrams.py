"""Draws the diagrams of the book into `docs/diagrams/`. Each follows the light or dark scheme of its reader.

`definitions.md` holds the same pictures as data URIs. rustdoc copies no files, so its pages contain the pictures
themselves: see `src/book.rs`.
"""

import sys
from base64 import b64encode
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "docs/diagrams"

STYLE = """
svg { --page: #ffffff; --ink: #1b2733; --line: #51606f; --box: #eef2f6; --edge: #9db0c2;
  --good: #dff3e4; --good-edge: #5da271; --wait: #fdf2d0; --wait-edge: #c49a2c; --bad: #fbe3e1; --bad-edge: #c7625a; }
@media (prefers-color-scheme: dark) { svg { --page: #161c22; --ink: #e3e9ef; --line: #a5b4c2; --box: #26313b;
  --edge: #566a7d; --good: #1e3a28; --good-edge: #5da271; --wait: #40351a; --wait-edge: #c49a2c; --bad: #452523;
  --bad-edge: #d0766e; } }
.page { fill: var(--page); }
text { fill: var(--ink); font: 13px system-ui, sans-serif; }
.head { font-weight: 600; }
.label { font-size: 12px; paint-order: stroke; stroke: var(--page); stroke-width: 5px; }
rect.box { fill: var(--box); stroke: var(--edge); }
rect.good { fill: var(--good); stroke: var(--good-edge); }
rect.wait { fill: var(--wait); stroke: var(--wait-edge); }
rect.bad { fill: var(--bad); stroke: var(--bad-edge); }
.arrow { fill: none; stroke: var(--line); stroke-width: 1.5; }
.dashed { stroke-dasharray: 6 4; }
marker path { fill: var(--line); }
"""


class Picture:
    def __init__(self, title, width, height):
        self.title, self.size, self.parts = title, (width, height), []

    def box(self, x, y, width, height, head, *lines, kind="box"):
        """A box with a bold head and centred lines."""
        self.parts.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>')
        top = y + height / 2 - 10 * len(lines) + 5
        for i, line in enumerate((head, *lines)):
            style = ' class="head"' if i == 0 else ""
            self.parts.append(
                f'<text{style} x="{x + width / 2:g}" y="{top + 20 * i:g}" text-anchor="middle">{escape(line)}</text>'
            )

    def arrow(self, *points, label="", at=None, dashed=False):
        path = "M" + " L".join(f"{x},{y}" for x, y in points)
        style = "arrow dashed" if dashed else "arrow"
        self.parts.append(f'<path class="{style}" d="{path}" marker-end="url(#end)"/>')
        if label:
            (x, y), text = at, escape(label)
            self.parts.append(f'<text class="label" x="{x}" y="{y}" text-anchor="middle">{text}</text>')

    def svg(self):
        width, height = self.size
        body = "\n".join(self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" aria-labelledby="title">\n<title id="title">{escape(self.title)}</title>\n'
            f"<style>{STYLE}</style>\n"
            '<defs><marker id="end" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            'orient="auto"><path d="M0,0 L10,5 L0,10 z"/></marker></defs>\n'
            f'<rect class="page" width="{width}" height="{height}" rx="8"/>\n{body}\n</svg>\n'
        )


def mandate():
    picture = Picture("The life of a mandate, by phase", 760, 360)
    picture.box(20, 70, 230, 170, "Setup", "Pending", "AwaitingSignature", "AwaitingVerification", "AwaitingActivation", kind="wait")
    picture.box(330, 70, 150, 60, "InForce", "Active", kind="good")
    picture.box(330, 180, 150, 60, "OnHold", "Suspended", kind="wait")
    picture.box(580, 70, 160, 170, "Ended", "Revoked", "Expired", "Invalid", "Gone", kind="bad")
    picture.arrow((250, 92), (328, 92))
    picture.arrow((250, 210), (328, 210))
    picture.arrow((390, 130), (390, 178))
    picture.arrow((420, 180), (420, 132))
    picture.arrow((480, 92), (578, 92))
    picture.arrow((480, 202), (578, 202))
    picture.arrow((135, 240), (135, 272), (660, 272), (660, 242))
    for y in (114, 224):
        picture.arrow((580, y), (482, y), dashed=True)
    picture.arrow((660, 70), (660, 34), (135, 34), (135, 68), label="reinstated: acknowledge it first", at=(398, 39), dashed=True)
    picture.box(20, 300, 720, 44, "Unrecognized: a word that no table has. No verdict on it is allowed")
    return picture


def debit():
    picture = Picture("The usual life of a debit", 860, 330)
    names = ["AwaitingApproval", "Scheduled", "Submitted", "Collected", "PaidOut"]
    kinds = ["wait", "wait", "wait", "good", "good"]
    for i, (name, kind) in enumerate(zip(names, kinds)):
        picture.box(20 + 168 * i, 110, 148, 44, name, kind=kind)
        if i:
            picture.arrow((168 * i, 132), (18 + 168 * i, 132))
    picture.box(188, 20, 316, 44, "Pending: under way", kind="wait")
    picture.arrow((504, 42), (598, 42), (598, 108))
    picture.box(104, 210, 148, 44, "Canceled")
    picture.arrow((94, 154), (94, 190), (150, 190), (150, 208))
    picture.arrow((262, 154), (262, 190), (206, 190), (206, 208))
    picture.box(356, 210, 148, 44, "Failed", kind="bad")
    picture.arrow((430, 154), (430, 208))
    picture.box(608, 210, 148, 44, "Returned", kind="bad")
    picture.arrow((598, 154), (598, 190), (654, 190), (654, 208))
    picture.arrow((766, 154), (766, 190), (710, 190), (710, 208))
    picture.box(20, 276, 148, 40, "RefundDue", kind="bad")
    picture.box(188, 276, 148, 40, "RefundPending", kind="wait")
    picture.box(356, 276, 148, 40, "Refunded", kind="bad")
    picture.arrow((168, 296), (186, 296))
    picture.arrow((336, 296), (354, 296))
    picture.box(524, 276, 316, 40, "Unrecognized: ask the vendor")
    return picture


def flow():
    picture = Picture("From the spec to your code", 860, 330)
    picture.parts.append('<text class="head" x="20" y="34">When you build</text>')
    picture.box(20, 50, 170, 60, "specs/<vendor>.yaml", "the source of all facts")
    picture.box(20, 130, 170, 60, "your patch", "in your own repository")
    picture.box(260, 90, 150, 60, "build.rs", "reads, checks, writes")
    picture.box(480, 90, 160, 60, "typed client", "one for each vendor", kind="good")
    picture.box(700, 90, 140, 60, "sandbox", "simulates vendors", kind="good")
    picture.arrow((190, 80), (225, 80), (225, 110), (258, 110))
    picture.arrow((190, 160), (225, 160), (225, 132), (258, 132))
    picture.arrow((410, 120), (478, 120))
    picture.arrow((335, 90), (335, 60), (770, 60), (770, 88))
    picture.parts.append('<text class="head" x="20" y="234">When you read a mandate</text>')
    for i, (head, line, kind) in enumerate([
        ("your code", "a reference", "box"), ("Mandates", "the facade", "good"), ("adapter", "words, quirks", "box"),
        ("typed client", "requests", "good"), ("transport", "retries, limits", "box"), ("vendor", "or sandbox", "box"),
    ]):
        x = 20 + 142 * i
        picture.box(x, 250, 112, 60, head, line, kind=kind)
        if i:
            picture.arrow((x - 28, 272), (x - 2, 272))
            picture.arrow((x, 290), (x - 26, 290))
    return picture


def lost():
    picture = Picture("What to do when a write fails", 860, 450)
    picture.box(330, 20, 200, 60, "A write failed", "error.outcome()")
    picture.box(20, 130, 220, 76, "NotSent", "Nothing happened.", "Send it again", kind="good")
    picture.box(620, 130, 220, 76, "Refused", "Nothing happened.", "Correct the request", kind="good")
    picture.box(300, 130, 260, 76, "Unknown", "The vendor may have acted. Look", "for it by your own reference", kind="wait")
    picture.arrow((330, 50), (130, 50), (130, 128))
    picture.arrow((530, 50), (730, 50), (730, 128))
    picture.arrow((430, 80), (430, 128))
    picture.box(20, 250, 220, 76, "Found", "The first call acted.", "Do not send it again", kind="good")
    picture.box(300, 250, 260, 76, "Not found", "This proves nothing. Is there", "send_again() for this write?", kind="wait")
    picture.arrow((300, 186), (265, 186), (265, 228), (130, 228), (130, 248))
    picture.arrow((430, 206), (430, 248))
    picture.box(20, 356, 220, 76, "Resent::InUse", "The record exists:", "look for it again", kind="good")
    picture.box(300, 356, 260, 76, "Resent::Done", "Accepted now. Two records", "may exist: look for both", kind="wait")
    picture.box(620, 250, 220, 76, "No", "Ask the vendor. Never send", "it with a new reference", kind="bad")
    picture.arrow((300, 306), (265, 306), (265, 394), (242, 394))
    picture.arrow((430, 326), (430, 354), label="yes", at=(452, 344))
    picture.arrow((560, 288), (618, 288), label="no", at=(588, 282))
    return picture


pictures = {"mandate": mandate(), "debit": debit(), "flow": flow(), "lost": lost()}
files = {f"{name}.svg": picture.svg() for name, picture in pictures.items()}
# The simulation of `fleet/simulation` draws the other pictures in the folder.
drawn = {path.name: path.read_text() for path in sorted(FOLDER.glob("*.svg"))} | files
files["definitions.md"] = "".join(
    f"[{name}]: data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}\n" for name, svg in sorted(drawn.items())
)
stale = [name for name, text in files.items() if not (FOLDER / name).exists() or (FOLDER / name).read_text() != text]
if "--check" in sys.argv and stale:
    sys.exit(f"out of date in docs/diagrams: {', '.join(stale)}. Run `python3 .ci/diagrams.py`")
for name in stale:
    (FOLDER / name).write_text(files[name])
