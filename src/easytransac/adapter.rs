//! Maps Easytransac's responses to the vocabulary.

use super::{Client, generated::operations, types};
use crate::{
    Error, Lookup, Mandate, MandateRef, MandateStatus, Provider, Source,
    facade::Adapter,
    status::{Evidence, Meaning},
    transport::{Answer, Operation, exchange},
    wire,
};
use chrono::{DateTime, Utc};
use types::MandateStatus as Word;

fn meaning(word: &Word) -> Meaning {
    match word {
        // The documentation does not say if a mandate has to be signed, or what its status is before the signature.
        Word::Active => Meaning::new(MandateStatus::Active, Evidence::WordDocumented),
        Word::Invalid => Meaning::new(MandateStatus::Invalid, Evidence::WordDocumented),
        // It may also mean that the mandate is unsigned.
        Word::Pending => Meaning::new(MandateStatus::Pending, Evidence::Inferred),
        Word::Unrecognized(_) => Meaning::new(MandateStatus::Unrecognized, Evidence::Inferred),
    }
}

impl Adapter for Client {
    type Run = ();

    async fn read(&self, lookup: Lookup<'_>, now: DateTime<Utc>) -> Result<Mandate, Error> {
        let id = lookup.reference.id();
        let answer = self.get_mandate_status().mandate_id(id).send().await?;
        let types::MandateReading { mandate_id, status, date_created, extra, .. } = answer.data;
        if mandate_id.as_str() != id {
            let what = "data.mandateId differs from the requested one";
            return Err(Error::decode(Provider::Easytransac, operations::GET_MANDATE_STATUS.id, what));
        }
        let mandate = Mandate::new(lookup.reference.clone(), status.as_str(), meaning(&status), Source::Read, now);
        Ok(Mandate { created: date_created, extra, ..mandate })
    }

    async fn probe(&self, reference: &MandateRef) -> Result<(&'static Operation, Answer), Error> {
        let operation = &operations::GET_MANDATE_STATUS;
        let answer = exchange(self, operation, self.get_mandate_status().mandate_id(reference.id()).request()).await?;
        Ok((operation, answer))
    }

    fn words() -> Vec<(String, Meaning)> {
        Word::KNOWN.iter().map(|word| (word.to_string(), meaning(word))).collect()
    }
}

/// The mandate in the response to its creation. It proves no status: read the mandate back before you collect.
impl From<&types::CreateMandateResponse> for Mandate {
    fn from(answer: &types::CreateMandateResponse) -> Self {
        let types::Mandate { mandate_id, status, date_created, extra, .. } = &answer.data;
        let reference = MandateRef::easytransac(mandate_id.as_str());
        let mandate = Mandate::new(reference, status.as_str(), meaning(status), Source::Created, Utc::now());
        Mandate { created: date_created.clone(), extra: wire::Extra::clone(extra), ..mandate }
    }
}
