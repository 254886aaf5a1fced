//! Noisy vectors in the JSON of the first version.

use std::str::FromStr;

use dashu::integer::IBig;

use super::value::Json;
use crate::kernel::vault::release::NoisyVector;

pub(super) fn noisy(of: Json<'_>) -> Option<NoisyVector> {
    let cell = |text: Json<'_>| IBig::from_str(text.0.as_str()?).ok();
    Some(NoisyVector { law: of.get("law")?, price: of.get("price")?, cells: of.at("cells")?.list(cell)? })
}
