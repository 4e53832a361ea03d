//! Searches for an Easytransac transaction whose request was sent, but whose response was lost.

use super::{Client, generated::operations, types};
use crate::vocabulary::{Error, ErrorKind, Provider};

impl Client {
    /// Looks for the transaction with your `orderId` after a lost response to `init_open_banking` or `debit_mandate`.
    ///
    /// **A result proves that the transaction exists**, with the amount of the request that created it. Check the
    /// status of the transaction: it may be unpaid. **`None` proves nothing**: the vendor responded with 404, so it
    /// shows no transaction with this `orderId` now. The vendor may register a transaction later. It is inferred that a
    /// debit can have an `orderId`. Look in the vendor's dashboard before you retry.
    ///
    /// # Errors
    /// The errors of `get_transaction_status` except `NotFound`. [`Decode`](ErrorKind::Decode) for a transaction
    /// without an `orderId` or with another one.
    pub async fn find_transaction(&self, order_id: &str) -> Result<Option<types::Transaction>, Error> {
        match self.get_transaction_status().order_id(order_id).send().await {
            Ok(answer) if answer.data.order_id.as_deref().is_some_and(|own| own.trim() == order_id.trim()) => {
                Ok(Some(answer.data))
            }
            Ok(_) => {
                let what = "data.orderId is missing, or is not the requested orderId";
                Err(Error::decode(Provider::Easytransac, operations::GET_TRANSACTION_STATUS.id, what))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}
