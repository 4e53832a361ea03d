//! Repairs a response body that is almost JSON. Only texts, numbers and literals are changed, and no repaired value
//! gets another meaning.
//!
//! Vendors' back ends send bytes that strict parsers refuse: a byte order mark, Latin-1, raw newlines in a text, `NaN`.
//! Most of them are in fields that nobody needs. So [`mend`] turns a value that cannot be read into a **damaged text**:
//! a JSON string that begins with half a surrogate pair. JSON allows such a string, but a Rust text cannot contain it.
//! If the value belongs to a required field, the response is refused. Any other field keeps the value unread.

use serde::de::IgnoredAny;

/// The first characters of every damaged text, after its quotation mark.
pub(crate) const DAMAGED: &str = "\\udc00";

/// The purpose for which a body is repaired.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To decode the body into a type. A damaged value stays unreadable.
    Read,
    /// To parse the body as a [`Value`](serde_json::Value). A damaged value becomes the nearest text.
    View,
    /// To report only the JSON types in the body.
    Shape,
}

#[derive(Debug)]
pub(crate) struct Mended {
    /// The repaired text. It is valid JSON, unless its brackets, commas or colons are wrong too.
    pub text: String,
    /// The description and the place of each damage. Only the first ones are listed.
    pub damage: Vec<String>,
}

/// Collects descriptions of damages. Only the first ones are kept, because a vendor may damage each of a million items.
#[derive(Default)]
struct Damage {
    first: Vec<(usize, &'static str)>,
    count: usize,
}

impl Damage {
    const NAMED: usize = 8;

    fn add(&mut self, at: usize, what: &'static str) {
        self.count += 1;
        if self.first.len() < Self::NAMED {
            self.first.push((at, what));
        }
    }

    fn told(&self, bytes: &[u8]) -> Vec<String> {
        let told = |(at, what): &(usize, &str)| {
            let before = &bytes[..*at];
            let line = before.split(|byte| *byte == b'\n').count();
            let column = before.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len) + 1;
            format!("{what}, at line {line} column {column}")
        };
        let mut all: Vec<String> = self.first.iter().map(told).collect();
        if self.count > self.first.len() {
            all.push(format!("{} more", self.count - self.first.len()));
        }
        all
    }
}

/// Repairs a body. Returns `None` if nothing is damaged, or if the body is neither an object nor a list. Returns `None`
/// also if the repaired text would be more than about twice as long, so that a small response cannot use up the memory.
pub(crate) fn mend(body: &[u8], purpose: Purpose) -> Option<Mended> {
    let mut damage = Damage::default();
    let decoded = utf16(body);
    let bytes = match &decoded {
        Some(text) => {
            damage.add(0, "UTF-16");
            text.as_bytes()
        }
        None => body,
    };
    let mut mending = Mending {
        bytes,
        at: 0,
        out: String::with_capacity(bytes.len() + bytes.len() / 8),
        longest: 2 * bytes.len() + 1024,
        purpose,
        damage,
    };
    mending.all()?;
    let Mending { out: text, damage, .. } = mending;
    (damage.count > 0).then(|| Mended { text, damage: damage.told(bytes) })
}

/// Decodes a body that begins with a byte order mark of UTF-16. Returns `None` if the body is not UTF-16.
fn utf16(body: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match body {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let (units, rest) = body[2..].as_chunks::<2>();
    let text = char::decode_utf16(units.iter().map(|bytes| unit(*bytes))).collect::<Result<String, _>>().ok()?;
    Some(text).filter(|_| rest.is_empty())
}

struct Mending<'a> {
    bytes: &'a [u8],
    at: usize,
    out: String,
    longest: usize,
    purpose: Purpose,
    damage: Damage,
}

const MARK: &[u8] = "\u{feff}".as_bytes();

impl Mending<'_> {
    fn all(&mut self) -> Option<()> {
        // The last byte before the current one that was not whitespace.
        let mut before = None;
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.copy(),
                b'{' | b'[' | b':' | b',' | b'}' | b']' => {
                    if before == Some(b':') && matches!(byte, b',' | b'}') {
                        self.damage.add(self.at, "a missing value");
                        self.damaged(b"");
                    }
                    self.copy();
                    before = Some(byte);
                }
                _ if self.bytes[self.at..].starts_with(MARK) => {
                    self.damage.add(self.at, "a byte order mark");
                    self.at += MARK.len();
                }
                0..0x20 | 0x7f => {
                    self.damage.add(self.at, "a control character");
                    self.at += 1;
                }
                // A web page or a single text cannot be repaired to JSON.
                _ if before.is_none() && self.purpose != Purpose::View => return None,
                b'"' => {
                    self.text();
                    before = Some(byte);
                }
                _ => {
                    self.bare();
                    before = Some(byte);
                }
            }
            if self.out.len() > self.longest {
                return None;
            }
        }
        Some(())
    }

    fn copy(&mut self) {
        self.out.push(char::from(self.bytes[self.at]));
        self.at += 1;
    }

    /// Copies a JSON string to the repaired text, and repairs the string if needed.
    fn text(&mut self) {
        let (began, opened) = (self.at, self.out.len());
        let key = self.is_key();
        self.copy();
        let mut damaged = false;
        loop {
            let rest = &self.bytes[self.at..];
            let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
            let plain = &rest[..rest.iter().position(special).unwrap_or(rest.len())];
            for chunk in plain.utf8_chunks() {
                self.out.push_str(chunk.valid());
                damaged |= !chunk.invalid().is_empty();
                // Read invalid bytes as Latin-1, which is the most likely encoding. The text is still marked as
                // damaged.
                self.out.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
            }
            self.at += plain.len();
            match rest.get(plain.len()) {
                // The string has no end, so the body cannot be repaired to JSON.
                None => return,
                Some(b'"') => break,
                Some(b'\\') => damaged |= !self.escape(key),
                Some(control) => {
                    self.damage.add(self.at, "a control character in a text");
                    // Use the short escapes such as `\n`: with `\u000a`, a text of many lines would become much longer.
                    match control {
                        b'\n' => self.out += "\\n",
                        b'\r' => self.out += "\\r",
                        b'\t' => self.out += "\\t",
                        control => self.out += &format!("\\u{control:04x}"),
                    }
                    self.at += 1;
                }
            }
        }
        self.copy();
        if damaged {
            self.damage.add(began, "a text that is not valid UTF-8 or has an escape that JSON does not allow");
            // Do not mark a key: its odd characters already show that it is damaged (see `OddKey`).
            if !key && self.purpose == Purpose::Read {
                self.out.insert_str(opened + 1, DAMAGED);
            }
        }
    }

    /// Copies an escape sequence. If JSON does not allow the escape, its backslash is escaped, and the function returns
    /// false.
    fn escape(&mut self, key: bool) -> bool {
        let rest = &self.bytes[self.at..];
        let keep = |mending: &mut Self, length: usize| {
            (0..length).for_each(|_| mending.copy());
            true
        };
        match (rest.get(1), code(rest)) {
            (Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'), _) => keep(self, 2),
            (_, Some(0xd800..0xdc00)) if matches!(code(&rest[6..]), Some(0xdc00..0xe000)) => keep(self, 12),
            // Half a surrogate pair makes the text unreadable. Keep it for decoding, which has to refuse the text.
            // Replace it in a key and for the other purposes, which need a readable text.
            (_, Some(0xd800..0xe000)) => {
                if !key && self.purpose == Purpose::Read {
                    return keep(self, 6);
                }
                self.damage.add(self.at, "half a surrogate pair");
                self.out += "\\ufffd";
                self.at += 6;
                true
            }
            (_, Some(_)) => keep(self, 6),
            _ => {
                self.out += "\\\\";
                self.at += 1;
                false
            }
        }
    }

    /// Returns true if a colon follows the string that begins here, so that the string is a key.
    fn is_key(&self) -> bool {
        let mut rest = self.bytes[self.at + 1..].iter();
        while let Some(byte) = rest.next() {
            match byte {
                b'"' => break,
                b'\\' => drop(rest.next()),
                _ => {}
            }
        }
        rest.find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
    }

    /// Copies a token without quotation marks: a number, a literal, or a token that JSON does not allow.
    fn bare(&mut self) {
        let rest = &self.bytes[self.at..];
        let ends = |byte: &u8| matches!(byte, b'{' | b'[' | b':' | b',' | b'}' | b']' | b'"' | 0..=0x20 | 0x7f);
        let token = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        match std::str::from_utf8(token) {
            Ok(json) if serde_json::from_str::<IgnoredAny>(json).is_ok() => {
                let too_large = self.purpose != Purpose::Read
                    && !json.starts_with(['t', 'f', 'n'])
                    && serde_json::from_str::<f64>(json).is_err();
                match self.purpose {
                    Purpose::View if too_large => {
                        self.damage.add(self.at, "a number out of range");
                        self.damaged(token);
                    }
                    Purpose::Shape if too_large => {
                        self.damage.add(self.at, "a number out of range");
                        self.out.push('0');
                    }
                    _ => self.out.push_str(json),
                }
            }
            _ => {
                self.damage.add(self.at, "a value that is neither a text, a number nor a literal of JSON");
                self.damaged(token);
            }
        }
        self.at += token.len();
    }

    /// Writes a damaged text in place of a token that JSON does not allow.
    fn damaged(&mut self, bare: &[u8]) {
        let text: String = bare.iter().map(|byte| char::from(*byte)).collect();
        let mark = if self.purpose == Purpose::Read { DAMAGED } else { "" };
        self.out += &format!("\"{mark}{}\"", text.replace('\\', "\\\\"));
    }
}

/// Returns the code of a `\u` escape, if these bytes begin with one.
fn code(bytes: &[u8]) -> Option<u16> {
    let [b'\\', b'u', digits @ ..] = bytes else { return None };
    let digits = digits.first_chunk::<4>()?;
    digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)? as u16))
}
