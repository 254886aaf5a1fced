//! Why a workbook cannot be read.

/// What is wrong with a workbook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetFault {
    /// The workbook is protected by a password or in the format used before 2007.
    #[error("is encrypted or of an older format; accepted is an Excel workbook (.xlsx) without a password")]
    Encrypted,
    /// There is no sheet with this name.
    #[error("has no sheet \"{0}\"")]
    NoSheet(String),
    /// Several sheets could be meant; holds their number.
    #[error("has {0} sheets that are not empty; write sheet = \"…\" with the name of one")]
    Several(usize),
    /// No sheet contains anything.
    #[error("holds nothing, not even a header")]
    Empty,
    /// A cell lies outside the table; holds the letters of its column.
    #[error("a cell holds a value in column {0}, for which the first row has no name")]
    Beyond(String),
    /// A number has more digits than a spreadsheet keeps; holds the letters of its column.
    #[error("column {0} holds a number of more than 15 digits, which a spreadsheet rounds; store such numbers as text")]
    Rounded(String),
    /// A formula has no stored result; holds the letters of its column.
    #[error("column {0} holds a formula without its result; open the workbook, calculate and save it")]
    Formula(String),
    /// Cells of the table are merged.
    #[error("cells of the table are merged; a table has a value of its own in every cell")]
    Merged,
}
