// The core, by either of its programs.

interface CoreCalls {
    answer(gpc: boolean, said: number): number;
    consent(unasked: number, refused: number, analytics: number): number;
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
    ): boolean | number;
    failures(): number;
    not_before(): number;
    back_off(failures: number, wait: number, clock: number): void;
    online(clock: number, random: number): void;
    rewind(): void;
}
