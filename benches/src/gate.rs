//! Instruction counts that were reached, so that none of them is lost unseen.

/// How far above the recorded count a figure may be: compilers differ a little.
pub const MARGIN: f64 = 1.03;

/// On the recorded frames.
pub const RECORDED: [(&str, f64); 4] = [
    ("kalshi_delta_instructions", 562.0),
    ("poly_price_change_instructions", 925.0),
    ("mixed_kalshi_delta_instructions", 576.0),
    ("mixed_poly_price_change_instructions", 932.0),
];

/// On generated frames.
pub const GENERATED: [(&str, f64); 4] = [
    ("kalshi_delta_instructions", 547.0),
    ("poly_price_change_instructions", 877.0),
    ("mixed_kalshi_delta_instructions", 579.0),
    ("mixed_poly_price_change_instructions", 885.0),
];
