// The desk's own scripts. Every page works without them; they keep it fresh, count time and shorten ways.
import "./live.js";
import "./phone.js";
import "./time_left.js";
import "./visitor_types.js";
import "./reply_box.js";
import "./canned.js";
import "./dialogs.js";
import "./keys.js";
import "./players.js";
import "./unfold.js";
import "./board.js";
