//! How to find out whether a write landed whose answer was lost.

use super::{Client, generated::operations, types};
use crate::{Error, Provider, wire::List};

impl Client {
    /// The client with this reference of yours, if there is one: whether a `create_client` landed.
    ///
    /// # Errors
    /// Those of `list_clients`, and [`Decode`](crate::ErrorKind::Decode) if an item cannot be read: it might be the one.
    pub async fn find_client(&self, external_ref: &str) -> Result<Option<types::Client>, Error> {
        let clients = self.list_clients().external_ref(external_ref).send().await?;
        let clients = all_read(operations::LIST_CLIENTS.id, clients)?;
        Ok(clients.into_iter().find(|client| client.external_ref == external_ref))
    }

    /// A client's mandates of one directory scope: whether a `create_mandate` landed. The SIREN is the same, and so are
    /// suffix, SIRET and routing identifier where `scope` has them; Seqino may have filled in the others. Compare
    /// `start_date` and `created_at` if you made others of that scope before.
    ///
    /// # Errors
    /// Those of `list_mandates`, and [`Decode`](crate::ErrorKind::Decode) if an item cannot be read: it might be the one.
    pub async fn find_mandates(
        &self,
        client_id: &str,
        scope: &types::DirectoryEntry,
    ) -> Result<Vec<types::Mandate>, Error> {
        let mandates = self.list_mandates().x_pdp_client_id(client_id).send().await?;
        let mandates = all_read(operations::LIST_MANDATES.id, mandates)?;
        Ok(mandates.into_iter().filter(|mandate| is_within(&mandate.directory_entry, scope)).collect())
    }
}

/// What is too much may be told apart by the caller; what is missing would be sent again.
fn is_within(entry: &types::DirectoryEntry, scope: &types::DirectoryEntry) -> bool {
    let alike = |(own, given): (&str, &str)| given.is_empty() || given == own;
    entry.siren == scope.siren && parts(entry).into_iter().zip(parts(scope)).all(alike)
}

/// What narrows a scope beside its SIREN.
fn parts(entry: &types::DirectoryEntry) -> [&str; 3] {
    let types::DirectoryEntry { suffix, siret, routing_identifier, .. } = entry;
    [suffix, siret, routing_identifier].map(|part| part.as_deref().unwrap_or_default())
}

fn all_read<T, const ONE: bool>(operation: &'static str, list: List<T, ONE>) -> Result<Vec<T>, Error> {
    match list.unread().first() {
        Some(item) => Err(Error::decode(Provider::Seqino, operation, format!("item {}: {}", item.index, item.why))),
        None => Ok(list.into_vec()),
    }
}
