// What a handset does in each state, in words.

export const STATES = [
  { name: "on", label: "On", icon: "bubble", text: "Messages arrive. The report says Delivered." },
  { name: "off", label: "Off", icon: "power",
    text: "Messages wait at the operator (Buffered). They arrive when the phone is switched on, or become Expired." },
  { name: "full", label: "Full", icon: "full",
    text: "The phone’s memory is full. The operator gives up: Exceeded Limited." },
  { name: "blocked", label: "Blocked", icon: "blocked",
    text: "The subscriber blocks all senders. The report says Rejected." },
  { name: "unknown", label: "Unknown", icon: "unknown",
    text: "The network does not know this subscriber. The report says Undeliverable." },
];

export const stateOf = (name) => STATES.find((state) => state.name === name) ?? STATES[0];
