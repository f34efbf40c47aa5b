"use client";

import { shoptrail } from "shoptrail-tracker";

const MUG = { item_id: "mug", item_name: "Mug", price: 12.5 };

export function Add() {
    const add = () => shoptrail("add_to_cart", { currency: "EUR", value: 12.5, items: [MUG] });
    return <button onClick={add}>Add to cart</button>;
}
