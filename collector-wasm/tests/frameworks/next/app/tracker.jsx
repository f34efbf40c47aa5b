"use client";

import { useEffect } from "react";
import { install } from "shoptrail-tracker";

export function Tracker() {
    useEffect(() => {
        window.installs = (window.installs ?? 0) + 1;
        install({ src: "https://track.shop.example/t.js", key: "pk_test" });
    }, []);
    return null;
}
