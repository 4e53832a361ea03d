//! How to look for a transaction whose creation was not answered.

use super::{Client, generated::operations, types};
use crate::vocabulary::{Error, ErrorKind, Provider};

impl Client {
    /// Looks for the transaction with this `orderId` of yours, after a lost `init_open_banking` or `debit_mandate`.
    ///
    /// **Found proves that the transaction exists**, with the amount of the call that made it. Look at its state: it need
    /// not be paid. **`None` proves nothing**: the vendor answered 404, so it shows no transaction of this `orderId` now.
    /// One may be registered later, and whether a debit takes an `orderId` is inferred. Look into the dashboard before you
    /// send anything again.
    ///
    /// # Errors
    /// Those of `get_transaction_status` but `NotFound`, and [`Decode`](ErrorKind::Decode) for a transaction of another
    /// `orderId`, or of none.
    pub async fn find_transaction(&self, order_id: &str) -> Result<Option<types::Transaction>, Error> {
        match self.get_transaction_status().order_id(order_id).send().await {
            Ok(answer) if answer.data.order_id.as_deref().is_some_and(|own| own.trim() == order_id.trim()) => {
                Ok(Some(answer.data))
            }
            Ok(_) => {
                let what = "data.orderId is missing, or another than the one asked for";
                Err(Error::decode(Provider::Easytransac, operations::GET_TRANSACTION_STATUS.id, what))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}
