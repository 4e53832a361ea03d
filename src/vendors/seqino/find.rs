//! How to find out whether a write landed whose answer was lost.

use super::{Client, generated::operations, types};
use crate::{
    transport::{Built, Operation, perform_page},
    vocabulary::{Error, Provider},
    wire::List,
};
use serde::de::DeserializeOwned;

impl Client {
    /// The client with this reference of yours, if there is one: whether a `create_client` landed. Blanks around a
    /// reference do not count, unless a client has the very same one.
    ///
    /// # Errors
    /// Those of `list_clients`, and [`Decode`](crate::ErrorKind::Decode) where it is not certain that there is none: an item
    /// cannot be read, the answer is no list, or more clients exist than it has.
    pub async fn find_client(&self, external_ref: &str) -> Result<Option<types::Client>, Error> {
        let request = self.list_clients().external_ref(external_ref).request();
        let found = self.list::<_, true>(&operations::LIST_CLIENTS, request).await?;
        let own = |client: &types::Client| client.external_ref.as_deref().map(str::to_owned);
        if let Some(client) = found.items.iter().find(|client| own(client).as_deref() == Some(external_ref)) {
            return Ok(Some(client.clone()));
        }
        let alike = |client: &&types::Client| own(client).is_some_and(|own| own.trim() == external_ref.trim());
        let mut alike_ones = found.items.iter().filter(alike);
        match (alike_ones.next(), alike_ones.next()) {
            (Some(client), None) => Ok(Some(client.clone())),
            (Some(_), Some(_)) => Err(found.refuse("two clients have this external_ref".into())),
            (None, _) => {
                found.complete()?;
                match found.items.iter().position(|client| client.external_ref.is_none()) {
                    Some(item) => Err(found.refuse(format!("item {item}: `external_ref` cannot be read"))),
                    None => Ok(None),
                }
            }
        }
    }

    /// A client's mandates of one directory scope: whether a `create_mandate` landed. The SIREN is the same, and so are
    /// suffix, SIRET and routing identifier where `scope` has them; Seqino may have filled in the others. Blanks and case
    /// do not count. Compare `start_date` and `created_at` if you made others of that scope before.
    ///
    /// # Errors
    /// Those of `list_mandates`, and [`Decode`](crate::ErrorKind::Decode) where it is not certain that these are all: an
    /// item or its scope cannot be read, the answer is no list, or more mandates exist than it has.
    pub async fn find_mandates(
        &self,
        client_id: &str,
        scope: &types::DirectoryEntry,
    ) -> Result<Vec<types::Mandate>, Error> {
        let request = self.list_mandates().x_pdp_client_id(client_id).request();
        let found = self.list::<types::Mandate, false>(&operations::LIST_MANDATES, request).await?;
        found.complete()?;
        if let Some(item) = found.items.iter().position(|mandate| mandate.directory_entry.is_none()) {
            return Err(found.refuse(format!("item {item}: `directory_entry` cannot be read")));
        }
        let within =
            |mandate: &types::Mandate| mandate.directory_entry.as_ref().is_some_and(|own| is_within(own, scope));
        Ok(found.items.into_iter().filter(within).collect())
    }

    async fn list<T: DeserializeOwned + Send + 'static, const ONE: bool>(
        &self,
        operation: &'static Operation,
        request: Built,
    ) -> Result<Found<T, ONE>, Error> {
        let (items, pages): (List<T, ONE>, _) = perform_page(self, operation, request).await?;
        let more = pages.go_on_after(items.len() + items.unread().len());
        Ok(Found { operation, items, more })
    }
}

/// A list, and whether more exists than it has.
struct Found<T, const ONE: bool> {
    operation: &'static Operation,
    items: List<T, ONE>,
    more: bool,
}

impl<T, const ONE: bool> Found<T, ONE> {
    fn refuse(&self, what: String) -> Error {
        Error::decode(Provider::Seqino, self.operation.id, what)
    }

    /// What is not in the list must be nowhere else.
    fn complete(&self) -> Result<(), Error> {
        if let Some(item) = self.items.unread().first() {
            return Err(self.refuse(format!("item {}: {}", item.index, item.why)));
        }
        if !self.items.is_explicit() {
            return Err(self.refuse("expected a list: what stands there does not say that there is none".into()));
        }
        match self.more {
            true => Err(self.refuse("not found in what was read: the answer says that there is more".into())),
            false => Ok(()),
        }
    }
}

/// What is too much may be told apart by the caller; what is missing would be sent again.
fn is_within(entry: &types::DirectoryEntry, scope: &types::DirectoryEntry) -> bool {
    let alike = |(own, given): (Option<&str>, Option<&str>)| {
        let given = given.map(plain).unwrap_or_default();
        given.is_empty() || own.is_some_and(|own| plain(own) == given)
    };
    plain(entry.siren.as_str()) == plain(scope.siren.as_str()) && parts(entry).into_iter().zip(parts(scope)).all(alike)
}

/// An identifier without blanks, in one case, and without the zeros that a number loses at its start.
fn plain(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.trim_start_matches('0').into(),
        false => text,
    }
}

/// What narrows a scope beside its SIREN.
fn parts(entry: &types::DirectoryEntry) -> [Option<&str>; 3] {
    let types::DirectoryEntry { suffix, siret, routing_identifier, .. } = entry;
    [suffix, siret, routing_identifier].map(Option::as_deref)
}
