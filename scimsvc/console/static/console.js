// Enhancements of the pages, by topic. Every page works without these scripts.

import "./forms.js";
import "./layout.js";
import "./live.js";
import "./passwords.js";
import "./searching.js";
import { enhance } from "./parts.js";

enhance(document);
document.getElementById("refusal")?.focus();
