"""The words of the monthly report in both languages. The same keys in each; a test holds that."""

UK = {
    "title": "Митний контроль: місячний звіт", "made": "Складено {at} · Свідок", "page": "Сторінка {n}",
    "about": "Звіт про роботу пункту пропуску, а не про людей: жодного показника за посадовими особами тут немає. "
    "Показники, менші за {n}, і ті, з яких їх можна вирахувати, приховано (–).",
    "figures": "Показники місяця", "procedures": "Процедур", "median": "Медіана оформлення", "p90": "90-й процентиль",
    "wait": "Медіана очікування", "queue": "Середня черга", "trend": "Тривалість оформлення за днями, хв",
    "by_lane": "За смугами", "by_kind": "За видами", "by_hour": "За годиною доби: процедур", "lane": "Смуга",
    "kind": "Вид", "comparison": "Проти попереднього місяця",
    "irregularities": "Порушення за причинами та умовами", "cause": "Що виявлено", "condition": "Що цьому сприяло",
    "count": "Кількість", "missing": "Чого бракує у процедур", "requirement": "Доказ", "why": "Причина",
    "none": "Немає.", "method": "Як пораховано",
    "method_text": "Дні та години – за київським часом. Медіани й процентилі взято з гістограм із кроком 8 %. Зміну "
    "оцінено зсувом Ходжеса–Лемана на логарифмах тривалості з інтервалом за розподілом Манна–Уїтні; якщо інтервал "
    "містить 1, дані не доводять зміни. Пояснене відсутнє лишається відсутнім.",
    "quicker": "Оформлення стало швидшим: у {ratio} раза від попереднього (95 % інтервал {low}–{high}; {m} і {n} "
    "процедур).",
    "slower": "Оформлення стало повільнішим: у {ratio} раза від попереднього (95 % інтервал {low}–{high}; {m} і {n} "
    "процедур).",
    "no-difference-shown": "Дані не доводять зміни: відношення {ratio}, 95 % інтервал {low}–{high} містить 1 ({m} і "
    "{n} процедур).",
    "too-few": "Замало процедур для висновку ({m} і {n}).",
    "car": "легкові", "lorry": "вантажні", "bus": "автобуси", "person": "особи", "consignment": "вантажі",
    "concealed-goods": "приховані товари", "undeclared-goods": "незадекларовані товари",
    "false-documents": "підроблені документи", "undervalued": "занижена вартість", "prohibited-goods": "заборонене",
    "excess-excise": "підакцизні понад норму", "excess-cash": "готівка понад норму", "night": "ніч",
    "long-queue": "довга черга", "scanner-idle": "сканер не задіяно", "step-left-out": "пропущено крок",
    "documents-only": "лише документи", "short-of-staff": "брак людей", "unknown": "невідомо",
    "body-camera": "нагрудна камера", "lane-camera": "камера смуги", "plate-in": "номер на в'їзді",
    "plate-out": "номер на виїзді", "scan": "знімок сканера", "no-read": "не прочитано", "no-scan": "не надійшов",
    "scan-aside": "не читається", "no-shift": "зміни немає", "dock-late": "не здана в док",
    "switched-off": "вимкнено", "battery": "батарея", "chunk-missing": "бракує частини", "cut-gop": "обірвано",
    "upload-cut": "вивантаження перервано", "uploading": "вивантажується", "not-read": "ще не розібрано",
    "obstructed": "закрито об'єктив", "too-dark": "темно", "frozen": "картинка стоїть", "paused": "законна пауза",
    "silent-microphone": "мікрофон мовчить", "no-camera": "камеру не видано", "min": "хв", "h": "год",
}  # fmt: skip

EN = {
    "title": "Customs control: monthly report", "made": "Made {at} · Svidok", "page": "Page {n}",
    "about": "A report on the work of a checkpoint, not on people: nothing here is by officer. Figures below {n}, and "
    "those from which they could be reckoned, are withheld (–).",
    "figures": "Figures of the month", "procedures": "Procedures", "median": "Median clearance",
    "p90": "90th percentile", "wait": "Median wait", "queue": "Mean queue", "trend": "Clearance by day, minutes",
    "by_lane": "By lane", "by_kind": "By kind", "by_hour": "By hour of the day: procedures", "lane": "Lane",
    "kind": "Kind", "comparison": "Against the month before",
    "irregularities": "Irregularities by cause and condition", "cause": "What was found",
    "condition": "What made it possible", "count": "Count", "missing": "What procedures lack",
    "requirement": "Evidence", "why": "Cause", "none": "None.", "method": "How it was reckoned",
    "method_text": "Days and hours are by Kyiv time. Medians and percentiles are read from histograms with bins of 8 "
    "%. The change is the Hodges-Lehmann shift of the logarithms of the times, with its interval by the Mann-Whitney "
    "distribution; where the interval contains 1 the data show no change. What is missing and explained stays missing.",
    "quicker": "Clearance became quicker: {ratio} of what it was (95 % interval {low}–{high}; {m} and {n} procedures).",
    "slower": "Clearance became slower: {ratio} of what it was (95 % interval {low}–{high}; {m} and {n} procedures).",
    "no-difference-shown": "The data show no change: ratio {ratio}, and the 95 % interval {low}–{high} contains 1 ({m} "
    "and {n} procedures).",
    "too-few": "Too few procedures to say ({m} and {n}).",
    "car": "cars", "lorry": "lorries", "bus": "buses", "person": "persons", "consignment": "consignments",
    "concealed-goods": "concealed goods", "undeclared-goods": "undeclared goods", "false-documents": "false documents",
    "undervalued": "undervalued", "prohibited-goods": "prohibited goods", "excess-excise": "excise goods in excess",
    "excess-cash": "cash in excess", "night": "night", "long-queue": "long queue", "scanner-idle": "scanner idle",
    "step-left-out": "a step left out", "documents-only": "documents only", "short-of-staff": "short of staff",
    "unknown": "unknown", "body-camera": "body camera", "lane-camera": "lane camera", "plate-in": "plate in",
    "plate-out": "plate out", "scan": "scan", "no-read": "not read", "no-scan": "none came",
    "scan-aside": "cannot be read", "no-shift": "no shift", "dock-late": "not docked", "switched-off": "switched off",
    "battery": "battery", "chunk-missing": "a part missing", "cut-gop": "torn off",
    "upload-cut": "upload broken off", "uploading": "being uploaded", "not-read": "not read yet",
    "obstructed": "lens covered",
    "too-dark": "too dark", "frozen": "frozen picture", "paused": "lawful pause",
    "silent-microphone": "silent microphone", "no-camera": "no camera issued", "min": "min", "h": "h",
}  # fmt: skip
