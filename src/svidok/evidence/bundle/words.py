"""The words of page one, in Ukrainian and in English."""

LANGUAGES = ("uk", "en")

WORDS: dict[str, dict[str, str]] = {
    "uk": {
        "title": "Розкриття доказів",
        "lead": "Ця сторінка каже, що це, звідки воно, і що з цього доведено. Перевірити може кожен: відкрийте "
                "verify.html у браузері, без мережі й без облікового запису.",
        "case": "Справа", "case_number": "Номер", "legal_basis": "Правова підстава", "subjects": "Категорія осіб",
        "unit": "Підрозділ", "made_by": "Розкрив", "given_to": "Кому", "made_at": "Коли", "id": "Ідентифікатор",
        "note": "Примітка", "exhibits": "Що розкрито", "exhibit": "Доказ", "from_to": "Проміжок", "file": "Файл",
        "device": "Пристрій", "place": "Місце", "how": "Як отримано", "clock": "Похибка годинника",
        "detail": "Клас деталізації", "gaps": "Прогалини", "no_gaps": "немає", "size": "Розмір",
        "device_signature": "Підпис пристрою", "derived": "Похідна копія", "sha256": "SHA-256",
        "no_clock": "не вимірювалась", "no_detail": "не визначено", "no_signature": "пристрій не підписує",
        "ahead": "годинник камери поспішав на {ms} мс (±{error} мс)",
        "behind": "годинник камери відставав на {ms} мс (±{error} мс)", "px_m": "{px} пікс./м (IEC 62676-4)",
        "derived_from": "зроблено з доказу {of}: {by}",
        "custody": "Хто і що робив із цими доказами", "event": "Подія", "actor": "Особа",
        "no_custody": "Подій не розкрито.",
        "proven": "Що доведено, якщо перевірка каже «справжнє»",
        "not_proven": "Що не доведено",
        "keys": "Чиїм ключам довіряти",
        "keys_text": "Відбиток ключів (SHA-256 файлу proof/trust.json) звірте з оприлюдненим деінде: ключ, що прийшов "
                     "разом із доказом, сам нічого не доводить.",
        "test": "УВАГА: місцевий випробувальний орган, не кваліфікований",
        "authorities": "Позначки часу", "witnesses": "Свідки реєстру", "witnesses_text": "{quorum} із {count}",
        "log": "Записів у реєстрі",
        "page": "Сторінка",
    },
    "en": {
        "title": "Disclosure of evidence",
        "lead": "This page says what this is, where it comes from, and what of it is proven. Anyone can check it: open "
                "verify.html in a browser, without a network and without an account.",
        "case": "Case", "case_number": "Number", "legal_basis": "Legal basis", "subjects": "Category of persons",
        "unit": "Unit", "made_by": "Disclosed by", "given_to": "Given to", "made_at": "When", "id": "Identifier",
        "note": "Note", "exhibits": "What is disclosed", "exhibit": "Exhibit", "from_to": "Range", "file": "File",
        "device": "Device", "place": "Place", "how": "How obtained", "clock": "Clock error",
        "detail": "Level of detail", "gaps": "Gaps", "no_gaps": "none", "size": "Size",
        "device_signature": "Device's own signature", "derived": "Derived copy", "sha256": "SHA-256",
        "no_clock": "not measured", "no_detail": "not determined", "no_signature": "the device does not sign",
        "ahead": "the camera's clock was ahead by {ms} ms (±{error} ms)",
        "behind": "the camera's clock was behind by {ms} ms (±{error} ms)", "px_m": "{px} px/m (IEC 62676-4)",
        "derived_from": "made from exhibit {of}: {by}",
        "custody": "Who did what with these exhibits", "event": "Event", "actor": "Person",
        "no_custody": "No events are disclosed.",
        "proven": "What is proven, where the check says “valid”",
        "not_proven": "What is not proven",
        "keys": "Whose keys to trust",
        "keys_text": "Compare the fingerprint of the keys (the SHA-256 of proof/trust.json) with the one published "
                     "elsewhere: a key that comes with the evidence proves nothing by itself.",
        "test": "CAUTION: a local test authority, not a qualified one",
        "authorities": "Time-stamps", "witnesses": "Witnesses of the ledger", "witnesses_text": "{quorum} of {count}",
        "log": "Entries in the ledger",
        "page": "Page",
    },
}  # fmt: skip

PROVEN: dict[str, tuple[str, ...]] = {
    "uk": (
        "Кожен байт відео є саме тим, що записав наш сервер: жоден кадр не змінено, не додано, не переставлено.",
        "Печатка кожної хвилини лежить у загальнодоступному реєстрі, який скріпили підписами незалежні свідки.",
        "Усе це існувало не пізніше за час у позначках часу незалежних органів.",
        "Події поводження з доказом подано без пропусків від першої до останньої розкритої.",
        "Час без запису всередині проміжку має причину, яку теж занесено до реєстру.",
    ),
    "en": (
        "Every byte of the video is what our server recorded: no picture was changed, added or moved.",
        "The seal of each minute lies in a public ledger that independent witnesses countersigned.",
        "All of this existed no later than the time in the stamps of independent authorities.",
        "The events of custody are told without holes, from the first to the last that is disclosed.",
        "Time without footage within the range has a reason that was entered in the ledger too.",
    ),
}
NOT_PROVEN: dict[str, tuple[str, ...]] = {
    "uk": (
        "Що камера показала правду і сцену не влаштовано. Доказ починається там, де наш сервер отримав потік.",
        "Що відбувалося поза проміжком і поза кадром.",
        "Назви, місця, імена й примітки на цій сторінці: їх засвідчує той, хто розкрив, своїм підписом.",
        "Файли, які нам передали інші: доведено лише, що вони незмінні від часу приймання.",
        "Висновок про підпис самого пристрою: його зробили ми, тут його лише наведено.",
    ),
    "en": (
        "That the camera showed the truth and the scene was not staged. The proof begins where our server received it.",
        "What happened outside the range and outside the picture.",
        "Names, places and notes on this page: whoever disclosed it vouches for them by signature.",
        "Files that others handed to us: proven is only that they have not changed since they were taken in.",
        "The finding on the device's own signature: we made it, and here it is only told.",
    ),
}

HOW: dict[str, dict[str, str]] = {
    "uk": {"recorded": "записано нашим сервером із камери", "docked": "з нагрудної камери через док-станцію",
           "handed-over": "передано на носії", "uploaded": "надіслано громадянином або підприємством",
           "derived": "зроблено нами з іншого доказу"},
    "en": {"recorded": "recorded by our server from the camera", "docked": "from a body-worn camera at its dock",
           "handed-over": "handed over on a carrier", "uploaded": "sent in by a member of the public or a business",
           "derived": "made by us from another exhibit"},
}  # fmt: skip

REASONS: dict[str, dict[str, str]] = {
    "uk": {"camera-silent": "камера мовчала", "camera-refused": "камера відмовила",
           "camera-garbage": "камера надсилала не відео",
           "stream-stalled": "потік зупинився", "wrong-password": "хибний пароль",
           "recorder-stopped": "записувач зупинено",
           "recorder-crashed": "записувач впав", "volume-full": "диск заповнено", "volume-absent": "диск недоступний",
           "disabled": "камеру вимкнено", "clock-step": "стрибок годинника",
           "disposed": "знищено за правилом зберігання",
           "unknown": "причина невідома"},
    "en": {"camera-silent": "the camera was silent", "camera-refused": "the camera refused",
           "camera-garbage": "the camera sent no video",
           "stream-stalled": "the stream stalled", "wrong-password": "wrong password",
           "recorder-stopped": "the recorder was stopped",
           "recorder-crashed": "the recorder crashed", "volume-full": "the disk was full",
           "volume-absent": "the disk was away",
           "disabled": "the camera was disabled", "clock-step": "the clock stepped",
           "disposed": "disposed of by retention rule",
           "unknown": "unknown"},
}  # fmt: skip
