import { mount } from "svelte";
import Verify from "./Verify.svelte";

const target = document.getElementById("verify");
const own = navigator.language.startsWith("en") ? "en" : "uk";
if (target) mount(Verify, { target, props: { language: own } });
