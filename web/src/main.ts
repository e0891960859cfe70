import "@fontsource-variable/inter";
import "maplibre-gl/dist/maplibre-gl.css";
import "./app/styles.css";
import { mount } from "svelte";
import App from "./app/App.svelte";

const target = document.getElementById("app");
if (target) mount(App, { target });
