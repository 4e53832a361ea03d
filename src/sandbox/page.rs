//! The pages of the sandbox for a debtor or a client, in French and in English.

use maud::{DOCTYPE, Markup, html};
use serde_json::Value;
use url::Url;

/// The languages of the sandbox's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    French,
    English,
}

impl Language {
    /// Returns the first known language of the query `?lang=` and of the browser's list. The default is French.
    pub fn of(asked: Option<&str>, accepted: &str) -> Self {
        let mut wanted = asked.into_iter().chain(accepted.split(',').map(str::trim));
        let known = wanted.find_map(|tag| match tag.get(..2)? {
            "fr" => Some(Self::French),
            "en" => Some(Self::English),
            _ => None,
        });
        known.unwrap_or(Self::French)
    }

    fn tag(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }
}

/// A text in French and in English.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    pub fr: &'static str,
    pub en: &'static str,
}

impl Text {
    fn in_(self, language: Language) -> &'static str {
        match language {
            Language::French => self.fr,
            Language::English => self.en,
        }
    }
}

/// A value on a page.
pub(crate) enum Shown {
    /// A value that is the same in both languages.
    Same(String),
    Translated(Text),
}

impl Shown {
    /// Shows the ends of an IBAN: `FR76 •••• 0185`.
    pub fn iban(iban: &str) -> Self {
        let ends = iban.get(..4).zip(iban.len().checked_sub(4).and_then(|end| iban.get(end..)));
        Self::Same(ends.map_or_else(String::new, |(start, end)| format!("{start} •••• {end}")))
    }

    /// Shows an amount in euros: `1 234,56 €`.
    pub fn amount(cents: u64) -> Self {
        let (digits, cents) = ((cents / 100).to_string(), cents % 100);
        let groups: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
        Self::Same(format!("{},{cents:02} €", groups.join(" ")))
    }
}

/// The content of a vendor's page.
pub(crate) struct Page {
    pub title: Text,
    /// The text to which the reader of the page agrees.
    pub intro: Text,
    pub terms: Vec<(Text, Shown)>,
    /// The text of the button with which the reader agrees.
    pub agree: Text,
    /// The hidden fields that the form posts to the next address.
    pub carried: Vec<(&'static str, String)>,
    /// The reason why the page accepts no decision, if there is one.
    pub closed: Option<Closed>,
}

/// A safe address for a redirect: an `http` or `https` URL, never a URL that runs code, such as `javascript:`.
#[derive(Clone)]
pub(crate) struct Link(Url);

impl Link {
    pub fn of(url: &Value) -> Option<Self> {
        Url::parse(url.as_str()?).ok().filter(|url| matches!(url.scheme(), "http" | "https")).map(Self)
    }

    /// Adds a name and a value to the query of the link.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.query_pairs_mut().append_pair(name, value);
        self
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// The reason why a page accepts no decision any more, and the link back.
#[derive(Clone)]
pub(crate) struct Closed {
    pub why: Why,
    /// The link back to the site that sent the reader to the page.
    pub back: Option<Link>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Expired,
    Used,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Agree,
    Cancel,
}

/// The next step after the reader has made a decision.
pub(crate) enum Onward {
    /// The server redirects the browser to this address with GET.
    Go(Link),
    /// The server redirects the browser to this address with the submitted form.
    Post(Link),
    /// The page shows that the decision was made.
    Stay,
}

impl Why {
    fn text(self) -> Text {
        match self {
            Self::Expired => Text { fr: "Ce lien a expiré.", en: "This link has expired." },
            Self::Used => Text { fr: "Ce lien a déjà été utilisé.", en: "This link has already been used." },
        }
    }
}

const SANDBOX: Text = Text {
    fr: "Simulation : rien n’est signé et aucun compte n’est débité.",
    en: "Simulation: nothing is signed and no account is debited.",
};
const CANCEL: Text = Text { fr: "Annuler", en: "Cancel" };
const BACK: Text = Text { fr: "Retour", en: "Back" };
const AGREED: Text = Text { fr: "C’est fait.", en: "Done." };
const CANCELLED: Text = Text { fr: "Annulé : rien n’a été fait.", en: "Cancelled: nothing was done." };
const OTHER: Text = Text { fr: "English", en: "Français" };

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;\
    background:#fff}dt{font-weight:600}dd{margin:0 0 .75rem;overflow-wrap:anywhere}button,a.button{font:inherit;padding:.6rem \
    1.2rem;margin-right:1rem;border:2px solid #0b4f8a;border-radius:.3rem;background:#fff;color:#0b4f8a}button.agree{background:\
    #0b4f8a;color:#fff}:focus-visible{outline:3px solid #b35900;outline-offset:2px}small{color:#4d4d4d}";

fn shell(language: Language, title: &str, content: &Markup) -> String {
    let other = match language {
        Language::French => Language::English,
        Language::English => Language::French,
    };
    let page = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                nav { a href={ "?lang=" (other.tag()) } lang=(other.tag()) hreflang=(other.tag()) { (OTHER.in_(language)) } }
                main { h1 { (title) } (content) }
                footer { small { (SANDBOX.in_(language)) } }
            }
        }
    };
    page.into_string()
}

impl Page {
    pub fn render(&self, language: Language) -> String {
        let content = match &self.closed {
            Some(closed) => closed.content(language),
            None => html! {
                p { (self.intro.in_(language)) }
                dl {
                    @for (term, value) in &self.terms {
                        dt { (term.in_(language)) }
                        dd {
                            @match value {
                                Shown::Same(value) => (value),
                                Shown::Translated(value) => (value.in_(language)),
                            }
                        }
                    }
                }
                form method="post" {
                    @for (name, value) in &self.carried {
                        input type="hidden" name=(name) value=(value);
                    }
                    button.agree name="decision" value="agree" { (self.agree.in_(language)) }
                    button name="decision" value="cancel" { (CANCEL.in_(language)) }
                }
            },
        };
        shell(language, self.title.in_(language), &content)
    }

    /// Returns the page that follows a decision without a redirect.
    pub fn done(&self, language: Language, decision: Decision) -> String {
        let text = if decision == Decision::Agree { AGREED } else { CANCELLED };
        shell(language, self.title.in_(language), &html! { p role="status" { (text.in_(language)) } })
    }
}

impl Closed {
    fn content(&self, language: Language) -> Markup {
        html! {
            p role="alert" { (self.why.text().in_(language)) }
            @if let Some(back) = &self.back {
                p { a.button href=(back.as_str()) { (BACK.in_(language)) } }
            }
        }
    }
}
