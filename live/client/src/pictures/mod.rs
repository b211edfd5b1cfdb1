//! What people and groups look like: set, told others, fetched, and kept at the server.
//!
//! ```text
//! file > square, small, nothing but pixels > sealed (AES-256-GCM) > server     set
//! address in a profile or a group's info > server > opened > small > database  fetched
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`set`] | the owner's and groups' pictures, set, taken away and shown |
//! | `tend` | others' pictures are fetched, the owner's are kept at the server |

pub mod set;
mod tend;
