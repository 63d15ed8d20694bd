//! A leg of a bundle -> a venue's own order.
