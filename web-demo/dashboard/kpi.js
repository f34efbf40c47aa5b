// The arithmetic of the key figures: sums from the server in, plain numbers out. Definitions: docs/metrics.md.
//
// Ratios are computed from sums and never averaged. Money is of one currency and in its minor units.

/** The key figures of one period. A ratio without a denominator is null. */
export function kpis(sums) {
  return {
    revenue: sums.revenue_gross_minor,
    net_revenue: sums.revenue_net_minor,
    orders: sums.orders,
    average_order_value: ratio(sums.revenue_gross_minor, sums.orders),
    sessions: sums.sessions,
    conversion_rate: ratio(sums.converted_sessions, sums.sessions),
    average_session_duration: ratio(sums.session_duration_ms, sums.sessions),
    bounce_rate: ratio(sums.bounced_sessions, sums.sessions),
    cart_abandonment_rate: ratio(sums.abandoned_cart_sessions, sums.cart_sessions),
    page_views_per_session: ratio(sums.page_views, sums.sessions),
  };
}

/** `part` of `whole`; null when there is no whole. */
export function ratio(part, whole) {
  return whole ? part / whole : null;
}

/** How far `now` lies above (below: negative) `before`, as a share of `before`; null when there is nothing to compare. */
export function relativeChange(now, before) {
  if (now === null || before === null || before === 0) return null;
  return (now - before) / before;
}

/** How far `now` lies above `before`; null when one of them is missing. */
export function difference(now, before) {
  return now === null || before === null ? null : now - before;
}
