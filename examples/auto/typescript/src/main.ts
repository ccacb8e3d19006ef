import { shout } from "./shout.js";

const words: string[] = ["hello", "world"];
console.log(shout(words));
