//! Writes the code of a client: our own types, the code that reads and builds structs, and the builders of operations.
//! For tests, also writes a call of every operation.

use super::{
    lower::{Argument, Field, Form, OwnType, Plan, PlannedOperation, Rust, State, Struct, Word, documentation, snake},
    model::{Evidence, Location, Meaning, Repeated},
    polish,
    problem::Problems,
};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// Writes the code of a client. The module `types` holds the structs that the generator wrote. The words come last,
/// because the compiler compiles all code again whose line changes: a new word moves no other code.
pub fn client(structs: Vec<syn::Item>, plan: &Plan) -> Result<syn::File, Problems> {
    let (words, own_types): (Vec<&OwnType>, _) =
        plan.types.iter().partition(|own| matches!(own.form, Form::Words { .. }));
    let own_types = own_types.into_iter().chain(words).map(own_type);
    let readers = plan.structs.iter().filter(|object| object.received).map(reader);
    let sent: Vec<&Struct> = plan.structs.iter().filter(|object| object.sent).collect();
    let (starts, struct_builders) =
        (sent.iter().map(|object| start(object)), sent.iter().map(|object| struct_builder(object)));
    let (methods, builders) =
        (plan.operations.iter().map(method), plan.operations.iter().map(|call| builder(call, plan)));
    let constants = plan.operations.iter().map(operation);
    let file = syn::parse2(quote! {
        use super::Client;

        impl Client {
            #(#methods)*
        }

        /// A builder for each operation.
        pub mod builder {
            use super::types;
            use crate::transport::{Built, Draft};

            #(#builders)*
        }

        /// The transport's description of each operation.
        pub(crate) mod operations {
            use crate::transport::{Effect, OperationSpec, Sent};

            #(#constants)*
        }

        /// Types of requests and responses.
        pub mod types {
            #(#structs)*
            #(#readers)*
            #(#starts)*

            /// Builders of objects that requests hold.
            pub mod builder {
                #(#struct_builders)*
            }

            #(#own_types)*
        }
    });
    file.map_err(|e| polish::broken(&format!("the code that `build/emit.rs` wrote is not valid Rust: {e}")))
}

fn doc(text: &str) -> Option<TokenStream> {
    let text = format!(" {text}");
    (text != " ").then(|| quote! { #[doc = #text] })
}

fn ident(name: &str) -> Ident {
    format_ident!("{name}")
}

/// Parses a Rust type, written with its whole path.
fn ty(rust: &Rust) -> syn::Type {
    syn::parse_str(&rust.path()).unwrap_or_else(|_| syn::parse_quote!(crate::wire::Json))
}

fn own_type(own: &OwnType) -> TokenStream {
    let (name, doc) = (ident(&own.name), doc(&own.doc));
    match &own.form {
        Form::Alias(rust) => {
            let rust = ty(rust);
            quote! { #doc pub type #name = #rust; }
        }
        Form::Words { open, words } => {
            let (attribute, other) = match open {
                true => (quote! { #[non_exhaustive] }, Some(quote! { or Unrecognized })),
                false => (quote! { #[derive(Copy)] }, None),
            };
            let all = words;
            let words = words.iter().map(|word| {
                let (raw, name) = (&word.raw, ident(&word.name));
                let doc = format!(" `{raw}`{}{}", if word.doc.is_empty() { "" } else { ": " }, word.doc);
                quote! { #[doc = #doc] #name = #raw }
            });
            let meanings = meanings(&name, all);
            quote! { crate::wire::words! { #doc #attribute #name #other { #(#words),* } } #meanings }
        }
        Form::States { answer, property, way, states } => {
            answer_states(&name, doc.as_ref(), &ty(answer), (property, way), states)
        }
        Form::Text { min, max, pattern, debug, kind } => {
            let max = max.map_or(quote!(usize::MAX), |max| quote!(#max));
            let pattern = pattern.as_ref().map(|pattern| quote! { , pattern #pattern });
            let (debug, kind) = (ident(debug), ident(kind));
            quote! { crate::wire::text! { #debug #kind #doc #name, #min, #max #pattern } }
        }
    }
}

/// Returns the name of the evidence in the generated code, and the day of an observation.
fn known(evidence: &Evidence) -> (Ident, Option<&str>) {
    let (name, day) = match evidence {
        Evidence::Documented => ("Documented", None),
        Evidence::Partial => ("WordDocumented", None),
        Evidence::Observed(day) => ("Observed", Some(day.as_str())),
        Evidence::Inferred => ("Inferred", None),
    };
    (ident(name), day)
}

/// Writes the table from the words to their meanings. The compiler checks that the table is complete.
fn meanings(name: &Ident, words: &[Word]) -> Option<TokenStream> {
    let all: Vec<&Meaning> = words.iter().filter_map(|word| word.meaning.as_ref()).collect();
    let names = words.iter().map(|word| ident(&word.name));
    let vocabulary = quote! { crate::vocabulary };
    let first = all.first()?;
    if first.account.is_some() {
        let accounts = all.iter().map(|meaning| ident(meaning.account.as_deref().unwrap_or_default()));
        return Some(quote! {
            impl #name {
                pub(crate) fn account(&self) -> #vocabulary::AccountStatus {
                    match self {
                        #(Self::#names => #vocabulary::AccountStatus::#accounts,)*
                        Self::Unrecognized(_) => #vocabulary::AccountStatus::Unrecognized,
                    }
                }
            }
        });
    }
    if first.debit.is_some() {
        let debits = all.iter().map(|meaning| {
            let (status, (evidence, _)) =
                (ident(meaning.debit.as_deref().unwrap_or_default()), known(&meaning.evidence));
            quote! { (DebitStatus::#status, Evidence::#evidence) }
        });
        return Some(quote! {
            impl #name {
                pub(crate) fn debit(&self) -> (#vocabulary::DebitStatus, #vocabulary::Evidence) {
                    use #vocabulary::{DebitStatus, Evidence};
                    match self {
                        #(Self::#names => #debits,)*
                        Self::Unrecognized(_) => (DebitStatus::Unrecognized, Evidence::Inferred),
                    }
                }
            }
        });
    }
    let meanings = all.iter().map(|meaning| {
        let status = ident(meaning.status.as_deref().unwrap_or_default());
        let (evidence, day) = known(&meaning.evidence);
        let day = day.map(|day| quote! { observed_on: #day.parse().ok(), });
        let next = meaning.next.as_ref().map(|next| {
            let next = ident(next);
            quote! { next: #vocabulary::NextStep::#next, }
        });
        let plain = quote! { Meaning::new(MandateStatus::#status, Evidence::#evidence) };
        if next.is_none() && day.is_none() {
            plain
        } else {
            quote! { Meaning { #next #day ..#plain } }
        }
    });
    Some(quote! {
        impl #name {
            pub(crate) fn meaning(&self) -> #vocabulary::Meaning {
                use #vocabulary::{Evidence, MandateStatus, Meaning};
                match self {
                    #(Self::#names => #meanings,)*
                    Self::Unrecognized(_) => Meaning::new(MandateStatus::Unrecognized, Evidence::Inferred),
                }
            }
        }
    })
}

/// Writes an enum of the states of a response, so that a caller has to handle each state. A caller could otherwise take
/// a success status for the completion of the whole operation.
fn answer_states(
    name: &Ident,
    doc: Option<&TokenStream>,
    answer: &syn::Type,
    (property, way): (&str, &[String]),
    states: &[State],
) -> TokenStream {
    let names: Vec<Ident> = states.iter().map(|state| ident(&state.name)).collect();
    let words = states.iter().map(|state| &state.words);
    let docs = states.iter().map(|state| format!(" `{}`: {}", state.words.join("`, `"), state.doc));
    let way = way.iter().map(|name| ident(name));
    let other =
        format!(" Any other word. Read `{property}` of the response, and ask the vendor before you rely on it.");
    quote! {
        #doc
        #[must_use = "the state shows if a further step is needed"]
        #[derive(Clone, Debug)]
        pub enum #name {
            #(#[doc = #docs] #names(#answer),)*
            #[doc = #other]
            Unclear(#answer),
        }

        impl #name {
            pub(crate) fn of(answer: #answer) -> Self {
                match answer.#(#way).*.as_str() {
                    #(#(#words)|* => Self::#names(answer),)*
                    _ => Self::Unclear(answer),
                }
            }

            /// The response in any state.
            pub fn answer(&self) -> &#answer {
                match self {
                    #(Self::#names(answer))|* | Self::Unclear(answer) => answer,
                }
            }
        }

        /// A state is serialized like the response that it contains.
        impl ::serde::Serialize for #name {
            fn serialize<S: ::serde::Serializer>(&self, s: S) -> ::std::result::Result<S::Ok, S::Error> {
                self.answer().serialize(s)
            }
        }
    }
}

/// Writes the code that reads a struct from a response.
fn reader(object: &Struct) -> TokenStream {
    let name = ident(&object.name);
    let fields = object.fields.iter().map(|field| {
        let kind = ident(match (&field.rust, field.is_option()) {
            (Rust::Text, false) => "Text",
            (Rust::Text, true) => "MaybeText",
            (_, true) => "Maybe",
            (_, false) if field.is_blank_list() => "MaybeList",
            (_, false) => "Needed",
        });
        let (field_name, key) = (ident(&field.name), &field.key);
        quote! { #kind #field_name = #key }
    });
    quote! { crate::wire::answer! { #name { #(#fields),* } } }
}

/// Writes the function that returns the builder of a struct. A struct that the caller read from JSON was checked by no
/// setter. So the builder checks its values before they are sent.
fn start(object: &Struct) -> TokenStream {
    let name = ident(&object.name);
    quote! {
        impl #name {
            /// A builder without any field.
            pub fn builder() -> builder::#name {
                builder::#name::default()
            }
        }

        impl crate::wire::Sent for #name {
            fn sent(self) -> ::std::result::Result<Self, crate::wire::InvalidValue> {
                Self::try_from(builder::#name::from(self))
            }
        }
    }
}

/// One setter of a builder. The builder keeps the value of the setter, or the reason why the value was refused.
struct Part {
    name: Ident,
    held: TokenStream,
    required: bool,
    setter: TokenStream,
}

impl Part {
    fn field(&self) -> TokenStream {
        let (name, held) = (&self.name, &self.held);
        quote! { #name: ::std::result::Result<#held, ::std::string::String> }
    }

    fn initial(&self) -> TokenStream {
        let (name, missing) = (&self.name, format!("`{}` is missing", self.name));
        if self.required {
            quote! { #name: Err(#missing.into()) }
        } else {
            quote! { #name: Ok(Default::default()) }
        }
    }
}

/// Plans the setter of a field or parameter. `required` means that the request needs the value. `option` means that the
/// setter also accepts an `Option`.
/// A setter of `money` takes a trait of its own, whose compiler message tells a caller to write the unit.
fn part(shown: &str, rust: &Rust, required: bool, option: bool, money: bool, text: &str) -> Part {
    let (name, rust) = (ident(shown), ty(rust));
    let doc = doc(format!("{} {text}", if required { "Required." } else { "Optional." }).trim_end());
    let held = if option {
        quote! { ::std::option::Option<#rust> }
    } else {
        quote! { #rust }
    };
    let (generic, takes, value) = match option {
        _ if money => {
            (None, quote! { crate::wire::Amount<#held> }, quote! { value.amount(#shown, crate::wire::Sealed) })
        }
        true => (
            Some(quote! { <M> }),
            quote! { crate::wire::Optional<#rust, M> },
            quote! { value.optional(#shown, crate::wire::Sealed) },
        ),
        false => (
            None,
            quote! { TryInto<#rust, Error: ::std::fmt::Display> },
            quote! { crate::wire::required(value, #shown) },
        ),
    };
    let setter = quote! {
        #doc
        pub fn #name #generic(mut self, value: impl #takes) -> Self {
            self.#name = #value;
            self
        }
    };
    Part { name, held, required, setter }
}

fn struct_builder(object: &Struct) -> TokenStream {
    let field =
        |field: &Field| part(&field.name, &field.rust, field.required, field.is_option(), field.money, &field.doc);
    let extra = object.received.then(|| {
        part("extra", &Rust::Wire("Extra".into()), false, false, false, "Fields that the spec does not describe.")
    });
    let parts: Vec<Part> = object.fields.iter().map(field).chain(extra).collect();
    let names: Vec<&Ident> = parts.iter().map(|part| &part.name).collect();
    let shown = names.iter().map(ToString::to_string);
    let (fields, initial) = (parts.iter().map(Part::field), parts.iter().map(Part::initial));
    let setters = parts.iter().map(|part| &part.setter);
    let (name, about) = (ident(&object.name), format!(" Builder for [`{0}`](super::{0}).", object.name));
    quote! {
        #[doc = #about]
        #[derive(Clone, Debug)]
        #[must_use]
        pub struct #name {
            #(#fields,)*
        }

        impl Default for #name {
            fn default() -> Self {
                Self { #(#initial,)* }
            }
        }

        impl #name {
            #(#setters)*
        }

        impl TryFrom<#name> for super::#name {
            type Error = crate::wire::InvalidValue;

            fn try_from(value: #name) -> ::std::result::Result<Self, crate::wire::InvalidValue> {
                let mut faults = crate::wire::Faults::default();
                match (#(faults.sent(value.#names, #shown),)*) {
                    (#(Some(#names),)*) => Ok(Self { #(#names),* }),
                    _ => Err(faults.into()),
                }
            }
        }

        impl From<super::#name> for #name {
            fn from(value: super::#name) -> Self {
                Self { #(#names: Ok(value.#names),)* }
            }
        }
    }
}

fn method(call: &PlannedOperation) -> TokenStream {
    let (name, builder, doc) = (ident(call.id()), ident(&call.builder()), doc(&documentation(call.endpoint)));
    let needs = needs(call);
    quote! {
        #doc
        #needs
        pub fn #name(&self) -> builder::#builder<'_> {
            builder::#builder::new(self)
        }
    }
}

fn argument(argument: &Argument) -> (Part, TokenStream) {
    let Argument { name, key, location, rust, required, money, doc, .. } = argument;
    let part = part(name, rust, *required, !required, *money, doc);
    let field = &part.name;
    let value = if *required {
        quote! { self.#field.map(Some) }
    } else {
        quote! { self.#field }
    };
    let goes = match location {
        Location::Path => quote! { .path(#key, #name, self.#field) },
        Location::Query => quote! { .query(#key, #value) },
        Location::Header => quote! { .header(#key, #name, #value) },
    };
    (part, goes)
}

fn body(rust: &Rust) -> (Part, TokenStream) {
    let (name, whole) = (ident(&rust.to_string()), ty(rust));
    let setter = quote! {
        /// Sets the whole body of the request.
        pub fn body(mut self, value: impl TryInto<#whole, Error: ::std::fmt::Display>) -> Self {
            self.body = value.try_into().map(Into::into).map_err(|e| e.to_string());
            self
        }

        /// Sets the body of the request by a function that fills its builder.
        pub fn body_map(mut self, build: impl FnOnce(types::builder::#name) -> types::builder::#name) -> Self {
            self.body = self.body.map(build);
            self
        }
    };
    let goes = quote! { .json(self.body.and_then(|body| #whole::try_from(body).map_err(|e| e.to_string()))) };
    (Part { name: ident("body"), held: quote! { types::builder::#name }, required: false, setter }, goes)
}

fn file(key: &str) -> (Part, TokenStream) {
    let rust = snake(key);
    let name = ident(&rust);
    let setter = quote! {
        /// Sets the required file: its name, and its content as bytes or a [`Body`](::reqwest::Body) that streams.
        ///
        /// The file is sent at most once: there is no retry, even if no connection was made. The timeout of an attempt
        /// ([`Settings::attempt_timeout`](crate::Settings::attempt_timeout)) includes the upload. A name that is empty
        /// or has an invisible character is refused.
        pub fn #name(mut self, name: impl Into<::std::string::String>, content: impl Into<::reqwest::Body>) -> Self {
            self.#name = crate::transport::file_part(#rust, name, content);
            self
        }
    };
    let (goes, held) = (quote! { .file(#key, self.#name) }, quote! { crate::wire::Masked<::reqwest::multipart::Part> });
    (Part { name, held, required: true, setter }, goes)
}

/// Names the feature of an operation in the published documentation.
fn needs(call: &PlannedOperation) -> Option<TokenStream> {
    let unverified = call.endpoint.operation.unverified;
    unverified.then(|| quote! { #[cfg_attr(docsrs, doc(cfg(feature = "unverified")))] })
}

fn builder(call: &PlannedOperation, plan: &Plan) -> TokenStream {
    let (name, operation) = (ident(&call.builder()), ident(&call.constant()));
    let parts = call.parameters.iter().map(argument).chain(call.body.iter().map(|(rust, _)| body(rust)));
    let (parts, goes): (Vec<Part>, Vec<TokenStream>) = parts.chain(call.files.iter().map(|key| file(key))).unzip();
    let (fields, initial) = (parts.iter().map(Part::field), parts.iter().map(Part::initial));
    let setters = parts.iter().map(|part| &part.setter);
    // The content of a file can be sent only once, so a request with a file has no `Clone`.
    let clone = call.files.is_empty().then(|| quote! { #[derive(Clone)] });
    let decoded = ty(&call.returns);
    let told = told(call, plan);
    let sent = quote! {
        crate::transport::perform::<_, #decoded>(self.client, &super::operations::#operation, self.request(), #told)
    };
    let (returns, sent) = match &call.states {
        None => (decoded, sent),
        Some(states) => {
            let states = ty(states);
            (
                states.clone(),
                quote! {
                    let call = #sent;
                    async move { call.await.map(|answer| answer.map(#states::of)) }
                },
            )
        }
    };
    let again = (!call.in_use().is_empty()).then(|| send_again(call, &returns));
    let about = format!(" Builder for [`Client::{0}`](super::Client::{0}).", call.id());
    let needs = needs(call);
    quote! {
        #[doc = #about]
        #[derive(Debug)]
        #clone
        #needs
        #[must_use]
        pub struct #name<'a> {
            client: &'a super::Client,
            #(#fields,)*
        }

        impl<'a> #name<'a> {
            pub(crate) fn new(client: &'a super::Client) -> Self {
                Self { client, #(#initial,)* }
            }

            #(#setters)*

            pub(crate) fn request(self) -> Built {
                Draft::new(self.client, &super::operations::#operation) #(#goes)* .build()
            }

            /// Sends the request.
            ///
            /// # Errors
            /// An [`Error`](crate::Error), whose kind names the cause and whose outcome says if a write was done.
            pub async fn send(self) -> ::std::result::Result<#returns, crate::Error> {
                self.send_with_meta().await.map(crate::Response::into_inner)
            }

            /// Sends the request. The response also has its HTTP status, its time and the trace id of the vendor.
            ///
            /// # Errors
            /// The errors of [`send`](Self::send).
            pub fn send_with_meta(self) -> impl Future<Output = ::std::result::Result<crate::Response<#returns>, crate::Error>> + Send + 'a {
                #sent
            }

            #again
        }
    }
}

/// Writes a function that returns the text at a place of the decoded response, for the places that repeat a value of the
/// request.
fn told(call: &PlannedOperation, plan: &Plan) -> TokenStream {
    let places = repeats(call).map(|(place, _)| place);
    let arms: Vec<_> = places.filter_map(|place| Some((place, text_at(plan, &call.returns, place)?))).collect();
    let (places, texts): (Vec<_>, Vec<_>) = arms.into_iter().unzip();
    if places.is_empty() {
        return quote! { |_, _| None };
    }
    quote! { |answer, place| Some(match place { #(#places => #texts,)* _ => return None }) }
}

/// Writes the expression for the text at a place of a response. Returns `None` if the place has no text.
fn text_at(plan: &Plan, answer: &Rust, place: &str) -> Option<TokenStream> {
    let (mut rust, mut way) = (answer, quote! { answer });
    for key in place.split('.') {
        let Rust::Own { name, .. } = rust else { return None };
        let object = plan.structs.iter().find(|object| object.name == *name)?;
        let field = object.fields.iter().find(|field| field.key == key)?;
        let (name, option) = (ident(&field.name), field.is_option().then(|| quote! { .as_ref()? }));
        (rust, way) = (&field.rust, quote! { #way.#name #option });
    }
    let text = |own: &OwnType| matches!(own.form, Form::Text { .. });
    let is_text = match rust {
        Rust::Text => true,
        Rust::Own { name, .. } => plan.types.iter().any(|own| own.name == *name && text(own)),
        _ => false,
    };
    is_text.then(|| quote! { #way.as_str() })
}

fn repeats<'a>(call: &PlannedOperation<'a>) -> impl Iterator<Item = (&'a String, &'a Repeated)> + use<'a> {
    call.endpoint.operation.value.repeats.iter().flat_map(|all| all.iter())
}

fn send_again(call: &PlannedOperation, returns: &syn::Type) -> TokenStream {
    let codes = call.in_use();
    let inferred = format!(
        " vendor returns `{}`. **It is inferred that this operation does so**, from the vendor's list of codes. If",
        codes.join("`, `")
    );
    quote! {
        /// Sends a request again after its response was lost ([`Outcome::Unknown`](crate::Outcome::Unknown)). First
        /// look for its effect, as the documentation of the operation says. Send the same reference, never a new one.
        ///
        /// [`Resent::InUse`](crate::Resent::InUse) means that the reference is in use. For this the
        #[doc = #inferred]
        /// the vendor returns no such code, it may accept the second request, too.
        ///
        /// After any other outcome use [`send`](Self::send), where a reference in use is a conflict.
        ///
        /// # Errors
        /// The errors of `send`.
        pub async fn send_again(self) -> ::std::result::Result<crate::Resent<#returns>, crate::Error> {
            crate::transport::resent(self.send().await, &[#(#codes),*])
        }
    }
}

fn operation(call: &PlannedOperation) -> TokenStream {
    let PlannedOperation { endpoint, document, .. } = call;
    let (constant, effect) = (ident(&call.constant()), ident(&format!("{:?}", endpoint.effect())));
    let (id, method, path, lost_answer) = (call.id(), endpoint.method, endpoint.path, call.lost_answer());
    let operation = &endpoint.operation.value;
    let code = operation.success().map_or("", |(code, _)| code);
    let authenticated = operation.security.as_ref().is_none_or(|schemes| !schemes.is_empty());
    let outside = match call.outside {
        None => quote! { None },
        Some((documented, own)) => quote! { Some((#documented, #own)) },
    };
    let answer = call.answer.iter().map(|(place, kind, required)| quote! { (#place, #kind, #required) });
    let repeats = repeats(call).map(|(place, Repeated { location, name })| {
        let kind = ident(&location.map_or("Body".into(), |location| format!("{location:?}")));
        quote! { (#place, Sent::#kind(#name)) }
    });
    quote! {
        pub(crate) static #constant: OperationSpec = OperationSpec {
            id: #id,
            method: #method,
            path: #path,
            outside: #outside,
            effect: Effect::#effect,
            authenticated: #authenticated,
            document: #document,
            code: #code,
            lost_answer: #lost_answer,
            answer: &[#(#answer),*],
            repeats: &[#(#repeats),*],
        };
    }
}

/// Writes two macros for tests. The argument `api` of a macro is the module of the vendor.
///
/// `<provider>_examples!(client, api, each)` calls `each!("operation", OPERATION, builder)` for every operation, with
/// the values of its example. `<provider>_paths!(client, api, each)` calls `each!(OPERATION, |id| builder)` for every
/// parameter in a path, with `id` as its value.
pub fn examples(provider: &str, plan: &Plan) -> String {
    let mut examples = String::new();
    let mut paths = String::new();
    for call in &plan.operations {
        examples += &format!("        $each!({:?}, {}, {});\n", call.id(), call.constant(), example(call, None));
        for argument in call.parameters.iter().filter(|argument| argument.location == Location::Path) {
            paths += &format!("        $each!({}, |id| {});\n", call.constant(), example(call, Some(&argument.name)));
        }
    }
    let define = |name, calls: String| {
        format!(
            "#[allow(unused_macros)]\nmacro_rules! {provider}_{name} {{\n    \
             ($client:expr, $api:ident, $each:ident) => {{\n{calls}    }};\n}}\n"
        )
    };
    define("examples", examples) + &define("paths", paths)
}

/// Writes the call of an operation with the values of its example. The parameter whose name is `id` gets the value
/// `id`.
fn example(call: &PlannedOperation, id: Option<&str>) -> String {
    let mut builder = format!("$client.{}()", call.id());
    for Argument { name, example, .. } in &call.parameters {
        let value = if id == Some(name) { Some("id") } else { example.as_deref() };
        builder += &value.map_or(String::new(), |value| format!(".{name}({value})"));
    }
    for file in call.files.iter().map(|file| snake(file)) {
        builder += &format!(".{file}(\"{file}.xml\", \"<{file}/>\")");
    }
    if let Some((body, example)) = &call.body {
        builder += &format!(".body(::serde_json::from_str::<$api::types::{body}>({example:?}).unwrap())");
    }
    builder
}
