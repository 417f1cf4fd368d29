// Enhancements of the pages, by topic. Every page works without these scripts.

import "./drawer.js";
import "./filter_times.js";
import "./forms.js";
import "./layout.js";
import "./palette.js";
import "./live.js";
import "./live_list.js";
import "./passwords.js";
import "./plots.js";
import "./searching.js";
import { prepareFolds } from "./folding.js";
import { enhance, enhancements } from "./parts.js";

enhancements.push(prepareFolds);
enhance(document);
document.getElementById("refusal")?.focus();
