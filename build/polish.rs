//! What the generator gives and we cannot publish is mended here, on the syntax tree.
//!
//! Each polish is one function with the reason above it. One that finds nothing to do fails the build: the generator
//! has changed, and the polish has to be looked at again.

use super::{
    document::{Problem, Problems},
    lower::{Call, Lowered},
};
use quote::{ToTokens, format_ident, quote};
use std::collections::{BTreeMap, BTreeSet};
use syn::{
    Attribute, Expr, Field, GenericArgument, ImplItem, Item, ItemStruct, PathArguments, Type, parse_quote,
    visit_mut::{self, VisitMut},
};

pub fn polish(file: &mut syn::File, lowered: &Lowered) -> Result<(), Problems> {
    own_client(file)?;
    no_api_version(file)?;
    no_accept(file)?;
    given_parameters(file)?;
    own_send(file, lowered)?;
    lists(file)?;
    open_structs(file)?;
    setters(file, lowered)?;
    builders_of_answers(file, lowered)?;
    all_faults(file)?;
    documentation(file)
}

/// A mistake of the build, or a change of the generator; nothing that the author of a spec did.
pub fn broken(what: &str) -> Problems {
    Problem::new("the generated code", what, "the generator is pinned; look at build/polish.rs if it was updated")
        .into()
}

/// Of a polish that every spec gives something to do. Whether a spec has a list, a plain text or an object in an answer
/// is its own affair.
fn done(name: &str, count: usize) -> Result<(), Problems> {
    if count == 0 { Err(broken(&format!("the polish `{name}` found nothing to do"))) } else { Ok(()) }
}

/// The items of a module.
pub fn module<'a>(file: &'a mut syn::File, name: &str) -> Result<&'a mut Vec<Item>, Problems> {
    child(&mut file.items, name).ok_or_else(|| broken(&format!("there is no module `{name}`")))
}

fn child<'a>(items: &'a mut [Item], name: &str) -> Option<&'a mut Vec<Item>> {
    items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == name => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    })
}

fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}

/// The one argument of a generic type, if the type is called `name`.
fn argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

/// The generated client panics when TLS cannot start, shows default headers in its `Debug` and lets its hooks return
/// the generator's errors. Ours is in the provider's folder; the generated methods are kept and are put on it.
fn own_client(file: &mut syn::File) -> Result<(), Problems> {
    let before = file.items.len();
    file.items.retain(|item| match item {
        Item::Use(_) => false,
        Item::Struct(client) => client.ident != "Client",
        Item::Impl(block) => {
            block.trait_.is_none()
                && !block.items.iter().any(|item| matches!(item, ImplItem::Fn(f) if f.sig.ident == "new_with_client"))
        }
        Item::Mod(module) => module.ident != "prelude",
        _ => true,
    });
    file.items.insert(0, parse_quote! { use super::Client; });
    for item in module(file, "builder")? {
        if let Item::Use(import) = item
            && text(import).contains("super::{")
        {
            *import = parse_quote! {
                use {
                    crate::transport::{GivenParameter, encode_path},
                    progenitor_client::{Error, RequestBuilderExt},
                };
            };
            import.attrs.push(parse_quote! { #[allow(unused_imports)] });
        }
    }
    done("own_client", before - file.items.len())
}

/// No vendor asked for the header `api-version`, which the generator sends with every request.
fn no_api_version(file: &mut syn::File) -> Result<(), Problems> {
    struct Remove(usize);
    impl VisitMut for Remove {
        fn visit_block_mut(&mut self, block: &mut syn::Block) {
            let before = block.stmts.len();
            block.stmts.retain(|statement| {
                let append = matches!(statement, syn::Stmt::Expr(Expr::MethodCall(call), _) if call.method == "append");
                !(append && text(statement).contains("\"api-version\""))
            });
            self.0 += before - block.stmts.len();
            visit_mut::visit_block_mut(self, block);
        }
        // A map with room for it is on the heap; one without anything is not.
        fn visit_expr_call_mut(&mut self, call: &mut syn::ExprCall) {
            if text(&call.func).ends_with("HeaderMap::with_capacity") {
                *call = parse_quote! { ::reqwest::header::HeaderMap::new() };
            }
        }
    }
    let mut remove = Remove(0);
    remove.visit_file_mut(file);
    done("no_api_version", remove.0)
}

/// What is accepted is the same for each call with an answer. The transport says so as it sends, so that a request that is
/// kept for a further attempt has no header but those of its own.
fn no_accept(file: &mut syn::File) -> Result<(), Problems> {
    struct Remove(usize);
    impl VisitMut for Remove {
        fn visit_expr_mut(&mut self, expression: &mut Expr) {
            visit_mut::visit_expr_mut(self, expression);
            if let Expr::MethodCall(call) = expression
                && call.method == "header"
                && call.args.first().is_some_and(|name| text(name).ends_with("header::ACCEPT"))
            {
                *expression = (*call.receiver).clone();
                self.0 += 1;
            }
        }
    }
    let mut remove = Remove(0);
    remove.visit_file_mut(file);
    done("no_accept", remove.0)
}

/// The generator hands every optional parameter of a query to reqwest, which takes the URL apart for each, also for one
/// that was not given.
fn given_parameters(file: &mut syn::File) -> Result<(), Problems> {
    struct OnlyGiven<'a>(&'a BTreeSet<String>);
    impl VisitMut for OnlyGiven<'_> {
        fn visit_expr_method_call_mut(&mut self, call: &mut syn::ExprMethodCall) {
            visit_mut::visit_expr_method_call_mut(self, call);
            if call.method == "query"
                && let Some(Expr::Reference(parameter)) = call.args.first()
                && let Expr::Call(parameter) = &*parameter.expr
                && let [name, Expr::Reference(value)] = &Vec::from_iter(&parameter.args)[..]
                && self.0.contains(&text(&value.expr))
            {
                let value = &value.expr;
                call.args = parse_quote! { #name, #value.as_ref() };
                call.method = format_ident!("given");
            }
        }
    }
    let builders = module(file, "builder")?;
    let optional = |item: &ItemStruct| -> BTreeSet<String> {
        let is = |field: &&Field| argument(&field.ty, "Result").and_then(|value| argument(value, "Option")).is_some();
        item.fields.iter().filter(is).filter_map(|field| field.ident.as_ref().map(ToString::to_string)).collect()
    };
    let optional: BTreeMap<_, _> = structs(builders).map(|item| (item.ident.to_string(), optional(item))).collect();
    for item in builders {
        if let Item::Impl(block) = item
            && let Some(optional) = optional.get(&owner(block))
        {
            OnlyGiven(optional).visit_item_impl_mut(block);
        }
    }
    Ok(())
}

/// The type that a block is of, without its module.
fn owner(block: &syn::ItemImpl) -> String {
    let Type::Path(owner) = &*block.self_ty else { return String::new() };
    owner.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default()
}

/// The generator builds a request; sending it, with credentials, deadlines, retries and errors of our own, is the
/// transport's. Each `send` is cut where the request is ready: what stands before becomes `request`.
fn own_send(file: &mut syn::File, lowered: &Lowered) -> Result<(), Problems> {
    let mut cut = 0;
    for item in module(file, "builder")? {
        let Item::Impl(block) = item else { continue };
        let mut sends = Vec::new();
        for item in &mut block.items {
            let ImplItem::Fn(function) = item else { continue };
            if function.sig.ident != "send" {
                continue;
            }
            let syn::ReturnType::Type(_, returns) = &function.sig.output else { continue };
            let answer = argument(returns, "Result").and_then(|value| argument(value, "ResponseValue")).cloned();
            let end = function.block.stmts.iter().position(|s| text(s).starts_with("letinfo=OperationInfo"));
            let (Some(answer), Some(end)) = (answer, end) else { continue };
            let id = text(&function.block.stmts[end]).split('"').nth(1).map(str::to_uppercase);
            let operation = format_ident!("{}", id.unwrap_or_default());
            function.block.stmts.truncate(end);
            function.block.stmts.push(parse_quote! { return Ok(request); });
            let call = lowered.operations.iter().find(|call| operation == call.constant());
            // Generated code asks the client for its fields `baseurl` and `client`; the transport has them.
            let client = parse_quote! {
                let client = crate::transport::Vendor::transport(client)
                    .fields(&super::operations::#operation)
                    .map_err(Error::InvalidRequest)?;
            };
            function.block.stmts.insert(1, client);
            let docs = std::mem::take(&mut function.attrs);
            function.sig.ident = format_ident!("request");
            function.sig.asyncness = None;
            function.sig.output = parse_quote! { -> Result<reqwest::Request, Error<()>> };
            function.vis = parse_quote! { pub(crate) };
            let send: Expr = parse_quote! {
                crate::transport::perform(client, &super::operations::#operation, self.request()).await
            };
            let states = call.and_then(|call| call.states.as_ref()).map(|name| format_ident!("{name}"));
            let (answer, send): (Type, Expr) = match states {
                None => (answer, send),
                Some(states) => (parse_quote! { types::#states }, parse_quote! { #send.map(types::#states::of) }),
            };
            sends.push(parse_quote! {
                #(#docs)*
                ///
                /// # Errors
                /// Those of [`Error`](crate::Error): its kind says what went wrong, its outcome what became of a write.
                pub async fn send(self) -> Result<#answer, crate::Error> {
                    let client = self.client;
                    #send
                }
            });
            cut += 1;
            let codes = call.map(|call| call.in_use.as_slice()).unwrap_or_default();
            if !codes.is_empty() {
                let code = format!(
                    " vendor answers `{}`. **That this operation answers it is inferred**, from the",
                    codes.join("`, `")
                );
                sends.push(parse_quote! {
                    /// Sends again a call whose answer was lost ([`Outcome::Unknown`](crate::Outcome::Unknown)): first
                    /// look for it, as the operation's documentation says. Send the same reference, never a new one.
                    ///
                    /// [`Resent::InUse`](crate::Resent::InUse) says that the reference is in use. For this the
                    #[doc = #code]
                    /// vendor's list of codes. If it does not, a second call may be accepted beside the first.
                    ///
                    /// After any other outcome use [`send`](Self::send): a reference in use is a conflict then.
                    ///
                    /// # Errors
                    /// As `send`.
                    pub async fn send_again(self) -> Result<crate::Resent<#answer>, crate::Error> {
                        crate::transport::resent(self.send().await, &[#(#codes),*])
                    }
                });
            }
        }
        block.items.extend(sends);
    }
    let generated = lowered.operations.iter().filter(|call| call.files.is_none()).count();
    if cut == generated { Ok(()) } else { Err(broken(&format!("`send` was cut in {cut} of {generated} operations"))) }
}

/// One item that cannot be read must not lose the others: every list is ours, which keeps what it could not read.
fn lists(file: &mut syn::File) -> Result<(), Problems> {
    struct Rename;
    impl VisitMut for Rename {
        fn visit_path_mut(&mut self, path: &mut syn::Path) {
            visit_mut::visit_path_mut(self, path);
            if let [.., vec_module, vec] = Vec::from_iter(&path.segments)[..]
                && (vec_module.ident == "vec" && vec.ident == "Vec")
            {
                let arguments = vec.arguments.clone();
                *path = parse_quote! { crate::wire::List };
                if let Some(last) = path.segments.last_mut() {
                    last.arguments = arguments;
                }
            }
        }
        fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
            if attribute.path().is_ident("serde") && text(attribute).contains("::std::vec::Vec::is_empty") {
                let tokens = text(attribute).replace("::std::vec::Vec::is_empty", "crate::wire::List::is_blank");
                if let Ok(item) = syn::parse_str::<ItemStruct>(&format!("{tokens} struct X;")) {
                    *attribute = item.attrs[0].clone();
                }
            }
        }
    }
    Rename.visit_file_mut(file);
    Ok(())
}

fn structs(items: &mut [Item]) -> impl Iterator<Item = &mut ItemStruct> {
    items.iter_mut().filter_map(|item| match item {
        Item::Struct(item) => Some(item),
        _ => None,
    })
}

/// What takes a struct apart or spells it out must not stop building because a vendor adds fields. A struct with unknown
/// fields is one of an answer: the generator would read it strictly, and pass what is unknown through a buffer that knows
/// no long numbers. Ours is `wire::answer!`. A number where the spec says text is read as its text.
fn open_structs(file: &mut syn::File) -> Result<(), Problems> {
    let types = module(file, "types")?;
    let (mut changed, mut answers) = (0, Vec::new());
    for item in structs(types) {
        item.attrs.push(parse_quote! { #[non_exhaustive] });
        changed += 1;
        if item.fields.iter().any(is_extra) {
            for attribute in item.attrs.iter_mut().filter(|attribute| attribute.path().is_ident("derive")) {
                *attribute = parse_quote! { #[derive(::serde::Serialize, Clone)] };
            }
            answers.push(answer(item)?);
        }
        for field in &mut item.fields {
            match text(&field.ty).as_str() {
                _ if is_extra(field) => {
                    field.ty = parse_quote! { crate::wire::Extra };
                    let doc = " Fields that the spec does not know, and those that could not be read.";
                    field.attrs = vec![parse_quote! { #[doc = #doc] }, parse_quote! { #[serde(flatten)] }];
                }
                STRING => field.attrs.push(parse_quote! { #[serde(deserialize_with = "crate::wire::plain_text")] }),
                MAYBE_STRING => {
                    field
                        .attrs
                        .push(parse_quote! { #[serde(default, deserialize_with = "crate::wire::optional_text")] });
                }
                _ => {}
            }
        }
    }
    types.extend(answers);
    for field in child(types, "builder").into_iter().flat_map(|all| structs(all)).flat_map(|item| &mut item.fields) {
        if is_extra(field) {
            field.ty = parse_quote! { ::std::result::Result<crate::wire::Extra, ::std::string::String> };
        }
    }
    done("open_structs", changed)
}

const STRING: &str = "::std::string::String";
const MAYBE_STRING: &str = "::std::option::Option<::std::string::String>";

fn is_extra(field: &Field) -> bool {
    field.ident.as_ref().is_some_and(|name| name == "extra")
}

/// How a struct of an answer is read: each field with its key, and whether the answer needs it.
fn answer(item: &ItemStruct) -> Result<Item, Problems> {
    let name = &item.ident;
    let fields = item.fields.iter().filter(|field| !is_extra(field)).map(|field| {
        let kind = match text(&field.ty).as_str() {
            STRING => "Text",
            MAYBE_STRING => "MaybeText",
            ty if ty.starts_with("::std::option::Option<") => "Maybe",
            // The generator gives a list that is not required a default.
            ty if ty.starts_with("crate::wire::List<") && serde(field, "default").is_some() => "MaybeList",
            _ => "Needed",
        };
        let kind = format_ident!("{kind}");
        let rust = field.ident.as_ref();
        let key = match serde(field, "rename") {
            Some(renamed) => renamed,
            None => rust.map(ToString::to_string).unwrap_or_default(),
        };
        quote::quote! { #kind #rust = #key }
    });
    let tokens = quote::quote! { crate::wire::answer! { #name { #(#fields),* } } };
    syn::parse2(tokens).map_err(|e| broken(&format!("how `{name}` is read is no Rust: {e}")))
}

/// The value of an argument in a field's `#[serde(...)]`, empty where it has none.
fn serde(field: &Field, name: &str) -> Option<String> {
    let mut found = None;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let look = attribute.parse_nested_meta(|meta| {
            let value = match meta.value() {
                Ok(value) => value.parse::<syn::LitStr>()?.value(),
                Err(_) => String::new(),
            };
            if meta.path.is_ident(name) {
                found = Some(value);
            }
            Ok(())
        });
        drop(look);
    }
    found
}

/// The generator's setters refuse a plain value for an optional field of a body, and drop the reason why a parameter
/// was refused. Each is written anew from the field that it sets, with what the spec says of it.
fn setters(file: &mut syn::File, lowered: &Lowered) -> Result<(), Problems> {
    let fields = child(module(file, "types")?, "builder");
    let fields = fields.map_or(0, |builders| write_setters(builders, &lowered.docs, &BTreeSet::new()));
    let docs = lowered.operations.iter().flat_map(|call| call.parameters.clone()).collect();
    let path = lowered.operations.iter().flat_map(Call::path_parameters).collect();
    done("setters", fields + write_setters(module(file, "builder")?, &docs, &path))
}

/// `path` names the parameters that become a segment of a path, by their operation.
fn write_setters(items: &mut [Item], docs: &super::lower::Docs, path: &BTreeSet<(String, String)>) -> usize {
    let fields: BTreeMap<String, Vec<Field>> =
        structs(items).map(|item| (item.ident.to_string(), item.fields.iter().cloned().collect())).collect();
    let mut changed = 0;
    for item in items {
        let Item::Impl(block) = item else { continue };
        let owner = owner(block);
        for item in &mut block.items {
            let ImplItem::Fn(function) = item else { continue };
            let name = function.sig.ident.clone();
            if name == "body_map" {
                function.attrs.push(parse_quote! { #[doc = " The body, built in place."] });
            }
            // A body has its own two ways in.
            let field = fields.get(&owner).into_iter().flatten().find(|field| field.ident.as_ref() == Some(&name));
            let value = field.and_then(|field| if name == "body" { None } else { argument(&field.ty, "Result") });
            let Some(value) = value else { continue };
            let shown = name.to_string();
            let doc = docs.get(&(owner.clone(), shown.clone())).map_or("", String::as_str);
            let doc = |need: &str| format!(" {need} {doc}").trim_end().to_owned();
            *function = if let Some(inner) = argument(value, "Option") {
                let doc = doc("Optional.");
                parse_quote! {
                    #[doc = #doc]
                    pub fn #name<M>(mut self, value: impl crate::wire::Optional<#inner, M>) -> Self {
                        self.#name = value.optional(#shown);
                        self
                    }
                }
            } else {
                let doc = match shown.as_str() {
                    "extra" => " Optional. Fields that the spec does not know.".into(),
                    _ => doc("Required."),
                };
                let checked = if path.contains(&(owner.clone(), shown.clone())) {
                    quote! { crate::transport::path_segment(value, #shown) }
                } else {
                    quote! { crate::wire::required(value, #shown) }
                };
                parse_quote! {
                    #[doc = #doc]
                    pub fn #name(mut self, value: impl TryInto<#value, Error: ::std::fmt::Display>) -> Self {
                        self.#name = #checked;
                        self
                    }
                }
            };
            changed += 1;
        }
    }
    changed
}

/// The generator tells one missing field at a time, and in two ways of speaking. A request that was read from JSON has gone
/// through no setter: each field is checked here, where every request comes by.
fn all_faults(file: &mut syn::File) -> Result<(), Problems> {
    struct Missing(usize);
    impl VisitMut for Missing {
        fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
            if let syn::Member::Named(name) = &field.member
                && text(&field.expr).starts_with("Err(\"")
            {
                let missing = format!("`{name}` is missing");
                field.expr = match name == "extra" {
                    // Who builds a request gives no unknown fields as a rule.
                    true => parse_quote! { Ok(Default::default()) },
                    false => parse_quote! { Err(#missing.to_string()) },
                };
                self.0 += 1;
            }
        }
    }
    let mut missing = Missing(0);
    missing.visit_file_mut(file);
    let Some(builders) = child(module(file, "types")?, "builder") else { return Ok(()) };
    let mut checked = Vec::new();
    let fields: BTreeMap<String, Vec<syn::Ident>> = structs(builders)
        .map(|item| (item.ident.to_string(), item.fields.iter().filter_map(|field| field.ident.clone()).collect()))
        .collect();
    for item in builders {
        let Item::Impl(block) = item else { continue };
        // `impl TryFrom<CreateMandate> for super::CreateMandate`: both have one name.
        let name = owner(block);
        let names = fields.get(&name).map(Vec::as_slice).unwrap_or_default();
        for item in &mut block.items {
            if let ImplItem::Fn(function) = item
                && function.sig.ident == "try_from"
                && !names.is_empty()
            {
                let shown = names.iter().map(ToString::to_string);
                let all: [syn::Stmt; 3] = [
                    parse_quote! { let mut value = value; },
                    parse_quote! { { #(value.#names = crate::wire::sent(value.#names, #shown);)* } },
                    parse_quote! { crate::wire::faults(&[#(value.#names.as_ref().err()),*])?; },
                ];
                function.block.stmts.splice(0..0, all);
                checked.push(format_ident!("{name}"));
            }
        }
    }
    let types = module(file, "types")?;
    types.extend(checked.iter().map(|name| -> Item {
        parse_quote! {
            impl crate::wire::Sent for #name {
                fn sent(self) -> ::std::result::Result<Self, crate::wire::Invalid> {
                    Self::try_from(builder::#name::from(self)).map_err(|e| crate::wire::Invalid::new(e.to_string()))
                }
            }
        }
    }));
    done("all_faults", missing.0)
}

/// Nobody builds what only a vendor sends; its fields are public.
fn builders_of_answers(file: &mut syn::File, lowered: &Lowered) -> Result<(), Problems> {
    let types = module(file, "types")?;
    let builder = |item: &ImplItem| matches!(item, ImplItem::Fn(f) if f.sig.ident == "builder");
    let sent = |block: &syn::ItemImpl| lowered.requests.contains(&owner(block));
    types.retain(|item| !matches!(item, Item::Impl(block) if !sent(block) && block.items.iter().any(builder)));
    if let Some(builders) = child(types, "builder") {
        builders.retain(|item| match item {
            Item::Struct(item) => lowered.requests.contains(&item.ident.to_string()),
            Item::Impl(block) => sent(block),
            _ => true,
        });
    }
    Ok(())
}

/// The generator prints each operation as a test that is ignored, and names its arguments a second time.
fn documentation(file: &mut syn::File) -> Result<(), Problems> {
    struct Tidy(usize);
    impl VisitMut for Tidy {
        fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
            let syn::Meta::NameValue(meta) = &mut attribute.meta else { return };
            let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(old), .. }) = &meta.value else { return };
            let text = old.value();
            let kept = text.split("\n```").next().unwrap_or_default().split("\nArguments:").next().unwrap_or_default();
            if kept.len() < text.len() {
                let kept = format!(" {}", kept.trim());
                meta.value = parse_quote! { #kept };
                self.0 += 1;
            }
        }
    }
    let mut tidy = Tidy(0);
    tidy.visit_file_mut(file);
    done("documentation", tidy.0)
}

/// What stays of a struct's fields for the public surface.
pub fn fields(item: &ItemStruct) -> Vec<String> {
    let one = |field: &Field| match &field.ident {
        Some(name) => format!("{name}: {}", short(&field.ty)),
        None => short(&field.ty),
    };
    item.fields.iter().map(one).collect()
}

/// A type without the paths that a reader knows.
pub fn short(tokens: &impl ToTokens) -> String {
    let mut out = text(tokens);
    for path in ["::std::option::", "::std::result::", "::std::string::", "types::", "super::"] {
        out = out.replace(path, "");
    }
    // `crate::wire::List` and `crate::seqino::Mandate`, but `crate::Error`.
    while let Some((before, after)) = out.split_once("crate::") {
        let name = after.split_once("::").filter(|(module, _)| module.chars().all(char::is_alphanumeric));
        out = format!("{before}{}", name.map_or(after, |(_, rest)| rest));
    }
    out.replace(',', ", ")
}
