//! Whole gates against scripted venues, under a clock of numbers.

mod admit; // limits and kills
mod fills;
mod identity; // fills in any order, told any number of times
mod join; // markets of pairs that join
mod faults; // answers that do not come, venues that take no orders
mod journal; // nothing leaves that the journal does not hold
mod kalshi;
mod places; // orders whose trades may fail
mod polymarket;
mod rig;
mod silence; // channels that tell nothing
mod rules; // grids and fees that change while markets trade
mod tickets; // rate tokens of both legs
