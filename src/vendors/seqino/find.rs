//! Searches for a record after a lost response.

use super::{Client, generated::operations, types};
use crate::{
    transport::{Built, OperationSpec, perform_page},
    vocabulary::{Error, Provider},
    wire::List,
};
use serde::de::DeserializeOwned;

impl Client {
    /// Looks for the client with your reference after a lost response to `create_client`. An exact match is preferred.
    /// Otherwise, blanks at the ends of a reference are ignored.
    ///
    /// # Errors
    /// Those of `list_clients`, and [`Decode`](crate::ErrorKind::Decode) if an empty result would be uncertain: an
    /// item is unreadable, the response is not a list, or there are more clients than it contains.
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
                    Some(item) => Err(found.refuse(format!("item {item}: `external_ref` is not readable"))),
                    None => Ok(None),
                }
            }
        }
    }

    /// Looks for a client's mandates of one directory scope after a lost response to `create_mandate`. A mandate
    /// matches if it has the SIREN of `scope`, and the suffix, SIRET and routing identifier that `scope` contains.
    /// Seqino may have added the others. Blanks and case are ignored. Compare `start_date` and `created_at` if you
    /// have created mandates of that scope before.
    ///
    /// # Errors
    /// Those of `list_mandates`, and [`Decode`](crate::ErrorKind::Decode) if the list may be incomplete: an item or
    /// its scope is unreadable, the response is not a list, or there are more mandates than it contains.
    pub async fn find_mandates(
        &self,
        client_id: &str,
        scope: &types::DirectoryEntry,
    ) -> Result<Vec<types::Mandate>, Error> {
        let request = self.list_mandates().x_pdp_client_id(client_id).request();
        let found = self.list::<types::Mandate, false>(&operations::LIST_MANDATES, request).await?;
        found.complete()?;
        if let Some(item) = found.items.iter().position(|mandate| mandate.directory_entry.is_none()) {
            return Err(found.refuse(format!("item {item}: `directory_entry` is not readable")));
        }
        let within =
            |mandate: &types::Mandate| mandate.directory_entry.as_ref().is_some_and(|own| is_within(own, scope));
        Ok(found.items.into_iter().filter(within).collect())
    }

    async fn list<T: DeserializeOwned + Send + 'static, const ONE: bool>(
        &self,
        operation: &'static OperationSpec,
        request: Built,
    ) -> Result<Found<T, ONE>, Error> {
        let (items, pages): (List<T, ONE>, _) = perform_page(self, operation, request).await?;
        let more = pages.go_on_after(items.len() + items.unread().len());
        Ok(Found { operation, items, more })
    }
}

/// A list. `more` is true if there are more items than it contains.
struct Found<T, const ONE: bool> {
    operation: &'static OperationSpec,
    items: List<T, ONE>,
    more: bool,
}

impl<T, const ONE: bool> Found<T, ONE> {
    fn refuse(&self, what: String) -> Error {
        Error::decode(Provider::Seqino, self.operation.id, what)
    }

    /// Returns an error if the list may be incomplete: then a missing item may still exist.
    fn complete(&self) -> Result<(), Error> {
        if let Some(item) = self.items.unread().first() {
            return Err(self.refuse(format!("item {}: {}", item.index, item.why)));
        }
        if !self.items.is_explicit() {
            return Err(self.refuse("expected a list. Another value does not prove that there is no item".into()));
        }
        match self.more {
            true => {
                Err(self.refuse("not found in the items that were read. The response says that there are more".into()))
            }
            false => Ok(()),
        }
    }
}

/// Matches too much on purpose: the caller can filter extra mandates, but a miss would cause a duplicate mandate.
fn is_within(entry: &types::DirectoryEntry, scope: &types::DirectoryEntry) -> bool {
    let alike = |(own, given): (Option<&str>, Option<&str>)| {
        let given = given.map(plain).unwrap_or_default();
        given.is_empty() || own.is_some_and(|own| plain(own) == given)
    };
    plain(entry.siren.as_str()) == plain(scope.siren.as_str()) && parts(entry).into_iter().zip(parts(scope)).all(alike)
}

/// Normalizes an identifier: removes blanks, uses lower case, and removes leading zeros, which a JSON number would
/// lose.
fn plain(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.trim_start_matches('0').into(),
        false => text,
    }
}

/// The parts of a scope in addition to its SIREN.
fn parts(entry: &types::DirectoryEntry) -> [Option<&str>; 3] {
    let types::DirectoryEntry { suffix, siret, routing_identifier, .. } = entry;
    [
        suffix.as_ref().map(AsRef::as_ref),
        siret.as_ref().map(AsRef::as_ref),
        routing_identifier.as_ref().map(AsRef::as_ref),
    ]
}
