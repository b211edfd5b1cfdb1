//! What a person can do with the real program, against real nodes.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod backup_api;
#[cfg(test)]
mod border;
#[cfg(test)]
mod conversation;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod device;
#[cfg(test)]
mod duress;
#[cfg(test)]
mod files;
#[cfg(test)]
mod friends;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod lock;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod network;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod program;
#[cfg(test)]
mod shares;
#[cfg(test)]
mod tpm;
#[cfg(test)]
mod tripwire;
#[cfg(test)]
mod wipe;
