//! The catalogue: `pg_catalog` and `information_schema` as PostgreSQL 15 has them, over what one person may see.
//!
//! Promises that nothing in it depends on a row: it is made of policies, of the names and columns of published statistics, and of a file of
//! PostgreSQL's own types. What does not exist here, such as indices, is empty, with PostgreSQL's names and types of columns.

mod filling;
pub(crate) mod fixed;
pub(crate) mod names;
pub(crate) mod relation;
pub(crate) mod rows;
mod schema_rows;
pub(crate) mod seen;
