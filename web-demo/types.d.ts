// What the pages have that a browser has not.

interface Window {
    /** The tracker's calls, or the stub that queues them until it is there. */
    shoptrail: any;
    /** What draws charts. */
    vega: any;
    vegaLite: any;
}
