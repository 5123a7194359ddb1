// The common emoji by their Slack shortcodes.

const TABLE = `
white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️ x ❌ negative_squared_cross_mark ❎ warning ⚠️ no_entry ⛔ no_entry_sign 🚫 octagonal_sign 🛑 exclamation ❗ question ❓ grey_question ❔ bangbang ‼️ interrobang ⁉️ information_source ℹ️
rotating_light 🚨 bell 🔔 no_bell 🔕 mega 📣 loudspeaker 📢 speech_balloon 💬 left_speech_bubble 🗨️ thought_balloon 💭 envelope ✉️ email 📧 incoming_envelope 📨 inbox_tray 📥 outbox_tray 📤 mailbox 📫 mailbox_with_mail 📬 package 📦 iphone 📱 telephone ☎️ telephone_receiver 📞
hourglass ⌛ hourglass_flowing_sand ⏳ stopwatch ⏱️ timer_clock ⏲️ alarm_clock ⏰ clock1 🕐 clock3 🕒 clock9 🕘 watch ⌚ calendar 📆 date 📅 spiral_calendar_pad 🗓️
arrow_forward ▶️ pause_button ⏸️ double_vertical_bar ⏸️ black_square_for_stop ⏹️ fast_forward ⏩ rewind ⏪ arrows_counterclockwise 🔄 repeat 🔁 arrow_right ➡️ arrow_left ⬅️ arrow_up ⬆️ arrow_down ⬇️ arrow_up_small 🔼 arrow_down_small 🔽 arrow_upper_right ↗️ leftwards_arrow_with_hook ↩️ twisted_rightwards_arrows 🔀
red_circle 🔴 large_green_circle 🟢 large_yellow_circle 🟡 large_orange_circle 🟠 large_blue_circle 🔵 large_purple_circle 🟣 white_circle ⚪ black_circle ⚫ large_green_square 🟩 large_red_square 🟥 large_yellow_square 🟨 large_blue_square 🟦 large_orange_square 🟧 white_large_square ⬜ black_large_square ⬛ white_square_button 🔳 radio_button 🔘 small_blue_diamond 🔹 small_orange_diamond 🔸
bar_chart 📊 chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 clipboard 📋 memo 📝 pencil 📝 pencil2 ✏️ page_facing_up 📄 page_with_curl 📃 scroll 📜 newspaper 📰 bookmark 🔖 bookmark_tabs 📑 label 🏷️ pushpin 📌 paperclip 📎 link 🔗 file_folder 📁 open_file_folder 📂 card_index 📇 card_file_box 🗃️ file_cabinet 🗄️ wastebasket 🗑️ books 📚 ledger 📒 notebook 📓 receipt 🧾 abacus 🧮
bust_in_silhouette 👤 busts_in_silhouette 👥 wave 👋 raised_hands 🙌 clap 👏 pray 🙏 thumbsup 👍 +1 👍 thumbsdown 👎 -1 👎 ok_hand 👌 point_right 👉 point_left 👈 point_up ☝️ point_down 👇 muscle 💪 eyes 👀 handshake 🤝 hand ✋ raised_hand ✋
smile 😄 slightly_smiling_face 🙂 grinning 😀 joy 😂 wink 😉 blush 😊 heart_eyes 😍 thinking_face 🤔 sunglasses 😎 sob 😭 cry 😢 disappointed 😞 confused 😕 neutral_face 😐 scream 😱 rage 😡 sleeping 😴 partying_face 🥳 face_with_rolling_eyes 🙄 sweat_smile 😅 robot_face 🤖 ghost 👻 zzz 💤
heart ❤️ green_heart 💚 blue_heart 💙 yellow_heart 💛 broken_heart 💔 star ⭐ star2 🌟 sparkles ✨ dizzy 💫 fire 🔥 boom 💥 zap ⚡ tada 🎉 confetti_ball 🎊 balloon 🎈 gift 🎁 trophy 🏆 medal 🏅 first_place_medal 🥇 second_place_medal 🥈 third_place_medal 🥉 rocket 🚀 dart 🎯 checkered_flag 🏁 triangular_flag_on_post 🚩
droplet 💧 sweat_drops 💦 ocean 🌊 umbrella ☂️ sunny ☀️ cloud ☁️ snowflake ❄️ rainbow 🌈 seedling 🌱 herb 🌿 earth_africa 🌍 globe_with_meridians 🌐 house 🏠 office 🏢 factory 🏭 shopping_trolley 🛒 shopping_bags 🛍️ credit_card 💳 moneybag 💰 money_with_wings 💸 euro 💶 dollar 💵 pound 💷
gear ⚙️ wrench 🔧 hammer 🔨 hammer_and_wrench 🛠️ toolbox 🧰 electric_plug 🔌 bulb 💡 mag 🔍 mag_right 🔎 lock 🔒 unlock 🔓 closed_lock_with_key 🔐 key 🔑 shield 🛡️ bomb 💣 test_tube 🧪 microscope 🔬 satellite_antenna 📡 computer 💻 floppy_disk 💾 printer 🖨️ camera 📷 frame_with_picture 🖼️ movie_camera 🎥 microphone 🎤 headphones 🎧 construction 🚧 vertical_traffic_light 🚦 traffic_light 🚥 snail 🐌 bee 🐝 bug 🐛 bird 🐦 dog 🐶 cat 🐱 coffee ☕ pizza 🍕 cake 🍰 beer 🍺
one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣ six 6️⃣ seven 7️⃣ eight 8️⃣ nine 9️⃣ zero 0️⃣ keycap_ten 🔟 hash #️⃣ a 🅰️ b 🅱️ o ⭕ 100 💯 new 🆕 ok 🆗 up 🆙 free 🆓 sos 🆘 heavy_plus_sign ➕ heavy_minus_sign ➖ heavy_multiplication_x ✖️ infinity ♾️ recycle ♻️ tm ™️ copyright ©️ crossed_fingers 🤞 no_good 🙅 shrug 🤷 speaking_head_in_silhouette 🗣️ sleeping_accommodation 🛌 thermometer 🌡️ couch_and_lamp 🛋️ door 🚪 ticket 🎫 admission_tickets 🎟️ puzzle_piece 🧩 crystal_ball 🔮 scales ⚖️ ballot_box_with_ballot 🗳️ gb 🇬🇧 us 🇺🇸 flag-nl 🇳🇱 nl 🇳🇱 de 🇩🇪 fr 🇫🇷 es 🇪🇸 it 🇮🇹 flag-be 🇧🇪 flag-br 🇧🇷 flag-in 🇮🇳 flag-id 🇮🇩`;

const EMOJI = new Map();
const words = TABLE.trim().split(/\s+/);
for (let index = 0; index + 1 < words.length; index += 2) EMOJI.set(words[index], words[index + 1]);

/** The emoji of a shortcode without its colons, or null. Skin tones are left out. */
export function emoji(name) {
  return EMOJI.get(name.replace(/::skin-tone-\d$/, "")) ?? null;
}

/** *text* with its known shortcodes as emoji. */
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => emoji(name) ?? whole);
}
