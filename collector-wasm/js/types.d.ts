// What the page has beside the browser's own, and the core by either of its programs.

interface CoreCalls {
    consent(unasked: number, refused: number, gpc: boolean, analytics: number): number;
    ads(gpc: boolean, ads: number): number;
    session(seq: number, last: number, now: number): number;
    add(bytes: number, rank: number, since: number): number;
    overflow(): number;
    wait(clock: number): number;
    take(clock: number): number;
    take_leaving(clock: number, stored: boolean): number;
    member(request: number, after: number): number;
    settle(
        request: number,
        status: number,
        isEdges: boolean,
        retryAfter: number,
        clock: number,
        random: number,
    ): boolean;
    failures(): number;
    not_before(): number;
    back_off(failures: number, wait: number, clock: number): void;
    online(clock: number, random: number): void;
    rewind(): void;
}

type Fields = Record<string, unknown>;

type Shoptrail = ((...call: unknown[]) => void) & {
    q?: IArguments[] | unknown[][];
    loaded?: boolean;
};

interface Window {
    shoptrail?: Shoptrail;
    shoptrailConfig?: Record<string, string>;
}

interface Navigator {
    globalPrivacyControl?: boolean;
}

interface Document {
    prerendering?: boolean;
}

declare const VERSION: string;

declare module "shoptrail-glue" {
    export const Core: new () => CoreCalls;
    export default function init(options: { module_or_path: string }): Promise<unknown>;
}

declare module "shoptrail-module" {
    const address: string;
    export default address;
}
