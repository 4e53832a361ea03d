//! The pages of the sandbox: for a debtor or a client, for the return to a shop, and the page at `/`. Each is in French
//! and in English.

use super::spec::is_personal;
use maud::{DOCTYPE, Markup, PreEscaped, html};
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
        let mut wanted: Vec<(f32, &str)> =
            accepted.split(',').map(range).filter(|(quality, _)| *quality > 0.0).collect();
        wanted.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let known = asked.into_iter().chain(wanted.into_iter().map(|(_, tag)| tag)).find_map(|tag| {
            [Self::French, Self::English].into_iter().find(|language| match tag {
                // The star stands for each language that the list does not name.
                "*" => !accepted.split(',').any(|other| language.is(range(other).1)),
                tag => language.is(tag),
            })
        });
        known.unwrap_or(Self::French)
    }

    /// Returns true if a tag such as `fr-CA` names the language.
    fn is(self, tag: &str) -> bool {
        tag.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case(self.tag()))
    }

    pub fn tag(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }
}

/// Reads an entry of `Accept-Language`: its quality, which is 1 by default, and its tag.
fn range(entry: &str) -> (f32, &str) {
    let mut parts = entry.split(';').map(str::trim);
    let tag = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    (quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0)), tag)
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
    /// An amount in cents of a euro.
    Amount(u64),
}

impl Shown {
    /// Shows a text, and only the ends of one that looks like an IBAN.
    pub fn text(text: &str) -> Self {
        Self::Same(masked(text))
    }

    /// Shows the ends of an IBAN: `FR76 •••• 0185`.
    pub fn iban(iban: &str) -> Self {
        Self::Same(ends(iban).unwrap_or_default())
    }

    fn in_(&self, language: Language) -> String {
        match self {
            Self::Same(value) => value.clone(),
            Self::Translated(value) => value.in_(language).to_owned(),
            Self::Amount(cents) => amount(*cents, language),
        }
    }
}

/// Returns the ends of an IBAN: `FR76 •••• 0185`.
pub(crate) fn ends(iban: &str) -> Option<String> {
    let (start, end) = iban.get(..4).zip(iban.len().checked_sub(4).and_then(|end| iban.get(end..)))?;
    Some(format!("{start} •••• {end}"))
}

/// Masks a text that looks like an IBAN or an e-mail address. Of an address nothing is shown, because it may be short.
fn masked(text: &str) -> String {
    match is_personal(text) {
        true => ends(text).filter(|_| !text.contains('@')).unwrap_or_else(|| "***".into()),
        false => text.to_owned(),
    }
}

/// Returns a reference in which each part that looks like an IBAN or an e-mail address is masked.
pub(super) fn shown_reference(reference: &str) -> String {
    let part = |part: &str| {
        let (text, separator) = part.strip_suffix([':', '/', '=']).map_or((part, ""), |text| part.split_at(text.len()));
        masked(text) + separator
    };
    reference.split_inclusive([':', '/', '=']).map(part).collect()
}

/// Writes an amount as its readers do: `1 234 567,89 €` in French, `€1,234,567.89` in English.
fn amount(cents: u64, language: Language) -> String {
    let (digits, cents) = ((cents / 100).to_string(), cents % 100);
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    match language {
        Language::French => format!("{},{cents:02} €", groups.join(" ")),
        Language::English => format!("€{}.{cents:02}", groups.join(",")),
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
pub(crate) struct Closed {
    pub why: Why,
    /// The link back to the site that sent the reader to the page.
    pub back: Option<Link>,
    /// The next step after the agreement that used the link. A second submission of the form gets the same step.
    pub result: Option<Onward>,
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
const SORRY: Text = Text { fr: "Cette page ne peut pas être affichée", en: "This page cannot be shown" };
pub(super) const UNKNOWN: Text =
    Text { fr: "Ce lien est inconnu. Demandez-en un nouveau.", en: "This link is unknown. Ask for a new one." };
pub(super) const READ: Text =
    Text { fr: "Cette page n’accepte que GET et HEAD.", en: "This page accepts only GET and HEAD." };
pub(super) const METHOD: Text =
    Text { fr: "Cette page n’accepte que GET, HEAD et POST.", en: "This page accepts only GET, HEAD and POST." };
pub(super) const DECISION: Text = Text {
    fr: "Envoyez decision=agree ou decision=cancel, comme un formulaire.",
    en: "Send decision=agree or decision=cancel as a form.",
};
const SHOP: Text = Text {
    fr: "Ici s’affiche la page de votre site. Le navigateur lui a transmis ces champs :",
    en: "Your own site shows its page here. The browser sent these fields to it:",
};
const DESK: Text = Text { fr: "Vers la page du bac à sable", en: "To the page of the sandbox" };
pub(super) const SITE: Text = Text {
    fr: "Cette décision vient d’un autre site. Ouvrez le lien, puis décidez sur la page.",
    en: "This decision comes from another site. Open the link, then decide on the page.",
};
const OTHER: Text = Text { fr: "English", en: "Français" };

/// The style of every page of the sandbox.
const STYLE: &str = include_str!("page.css");

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
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body.paper {
                header {
                    p.brand { span.mark aria-hidden="true" { "m" } "mandat sandbox" }
                    nav { a href={ "?lang=" (other.tag()) } lang=(other.tag()) hreflang=(other.tag()) { (OTHER.in_(language)) } }
                }
                main.sheet { h1 { (title) } (content) }
                footer { p { (SANDBOX.in_(language)) } }
            }
        }
    };
    page.into_string()
}

/// Returns the page at `/`. Only the script with this nonce runs.
pub(super) fn desk(language: Language, nonce: &str) -> String {
    let page = include_str!("desk.html").replace("{style}", STYLE);
    page.replace("{script}", concat!(include_str!("element.js"), include_str!("desk.js")))
        .replace("{lang}", language.tag())
        .replace("{nonce}", nonce)
}

/// Returns the page that stands for the site of a merchant, after a sample page. It shows the received fields.
pub(super) fn shop(
    language: Language,
    place: &str,
    received: impl Iterator<Item = (String, String)>,
) -> Option<String> {
    let title = match place {
        "ok" => Text { fr: "Retour chez le marchand", en: "Back at the merchant" },
        "ko" => Text { fr: "Retour après un échec", en: "Back after a failure" },
        "cancel" => Text { fr: "Retour après une annulation", en: "Back after a cancellation" },
        _ => return None,
    };
    let received: Vec<(String, String)> = received.map(|(name, value)| (name, masked(&value))).collect();
    let content = html! {
        p { (SHOP.in_(language)) }
        @if !received.is_empty() {
            dl { @for (name, value) in &received { dt { (name) } dd { (value) } } }
        }
        p.actions { a.button href={ "/?lang=" (language.tag()) } { (DESK.in_(language)) } }
    };
    Some(shell(language, title.in_(language), &content))
}

/// Returns a page that shows only the reason of a refusal.
pub(super) fn notice(language: Language, why: Text) -> String {
    shell(language, SORRY.in_(language), &html! { p.notice role="alert" { (why.in_(language)) } })
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
                        dd { (value.in_(language)) }
                    }
                }
                form method="post" {
                    @for (name, value) in &self.carried {
                        input type="hidden" name=(name) value=(value);
                    }
                    p.actions {
                        button.agree name="decision" value="agree" { (self.agree.in_(language)) }
                        button name="decision" value="cancel" { (CANCEL.in_(language)) }
                    }
                }
            },
        };
        shell(language, self.title.in_(language), &content)
    }

    /// Returns the page that follows a decision without a redirect.
    pub fn done(&self, language: Language, decision: Decision) -> String {
        let text = if decision == Decision::Agree { AGREED } else { CANCELLED };
        shell(language, self.title.in_(language), &html! { p.notice.good role="status" { (text.in_(language)) } })
    }
}

impl Closed {
    fn content(&self, language: Language) -> Markup {
        html! {
            p.notice role="alert" { (self.why.text().in_(language)) }
            @if let Some(back) = &self.back {
                p.actions { a.button href=(back.as_str()) { (BACK.in_(language)) } }
            }
        }
    }
}
