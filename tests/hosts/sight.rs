// SPDX-License-Identifier: Apache-2.0
//! What is there for an application: handles that it should not have, in every argument and inside every parameter;
//! slots by number and through sessions. Each line says what came back and whether the vendor was asked.

use std::any::Any;

use cryptoki_sys::*;
use event::Function;
use event::mechanism::{self, Shape};

use crate::cross::{measured, numbers};
use crate::frame::{Frame, invoke, offers};
use crate::lifecycle::opened;
use crate::module::{Module, WAYS};
use crate::nested::first;

/// CKM_AES_CBC: its parameter holds no handle.
const PLAIN: CK_MECHANISM_TYPE = CKM_AES_CBC;

/// The arguments of a function that are of this C type.
fn arguments_of(function: Function, kind: &'static str) -> impl Iterator<Item = &'static str> {
    function.info().arguments.iter().filter(move |(_, own)| *own == kind).map(|(name, _)| *name)
}

/// `MODULE HIDDEN SHOWN`: every function with an object handle, by every way in, each handle in turn the hidden one and
/// the others the shown one: `WAY FUNCTION ARGUMENT RV:CALLS:LAST`.
pub(crate) fn handles(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let [hidden, shown] = numbers(&arguments[1..])[..] else { return };
    for way in WAYS {
        let Some(table) = module.table(way) else { continue };
        for function in Function::ALL.iter().copied().filter(|function| offers(&table, *function)) {
            for argument in arguments_of(function, "CK_OBJECT_HANDLE") {
                // Each on the token as it was: some of them change it.
                let session = opened(&table);
                // Known from now on: what is counted are the calls themselves.
                for known in [hidden, shown] {
                    invoke(&table, Function::C_GetObjectSize, &mut framed(session, PLAIN, known));
                }
                let mut frame = framed(session, PLAIN, shown);
                frame.other = Some((argument, hidden));
                println!("{way} {} {argument} {}", function.name(), measured(&table, function, &mut frame));
                invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
            }
        }
    }
}

/// Arguments with this mechanism and key.
pub(crate) fn framed(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_TYPE,
    key: CK_OBJECT_HANDLE,
) -> Box<Frame> {
    let mut frame = Frame::new(session, mechanism);
    frame.key = key;
    frame
}

/// A parameter that lives as long as its box.
type Made = (Box<dyn Any>, CK_VOID_PTR, usize);

fn made<T: 'static>(whole: T) -> Made {
    let mut whole = Box::new(whole);
    let at = (&raw mut *whole).cast();
    (whole, at, size_of::<T>())
}

/// A place for a handle inside a parameter.
struct Place {
    shape: Shape,
    /// Its name in events; for handles that events do not show, the member that leads to them.
    field: &'static str,
    made: fn(CK_OBJECT_HANDLE) -> Made,
}

macro_rules! places {
    ($($shape:ident $field:ident: $layout:ident { $($name:ident $(= $value:expr)?),+ };)*) => {
        &[$(Place {
            shape: Shape::$shape,
            field: stringify!($field),
            made: |handle| made($layout { $($name: places!(@ handle $($value)?)),+, ..Default::default() }),
        }),*]
    };
    (@ $handle:ident) => { $handle };
    (@ $handle:ident $value:expr) => { $value };
}

const YES: CK_BBOOL = CK_TRUE;

/// `Shape Field: STRUCTURE { member, flag that makes it count = value }`.
const PLACES: &[Place] = places! {
    CmsSig Certificate: CK_CMS_SIG_PARAMS { certificateHandle };
    EcmqvDerive OtherKey: CK_ECMQV_DERIVE_PARAMS { hPrivateData };
    EcmqvDerive PublicKey: CK_ECMQV_DERIVE_PARAMS { publicKey };
    X942Dh2Derive OtherKey: CK_X9_42_DH2_DERIVE_PARAMS { hPrivateData };
    X942MqvDerive OtherKey: CK_X9_42_MQV_DERIVE_PARAMS { hPrivateData };
    X942MqvDerive PublicKey: CK_X9_42_MQV_DERIVE_PARAMS { publicKey };
    X3dhInitiate PeerIdentity: CK_X3DH_INITIATE_PARAMS { pPeer_identity };
    X3dhInitiate PeerPrekey: CK_X3DH_INITIATE_PARAMS { pPeer_prekey };
    X3dhInitiate OwnIdentity: CK_X3DH_INITIATE_PARAMS { pOwn_identity };
    X3dhInitiate OwnEphemeral: CK_X3DH_INITIATE_PARAMS { pOwn_ephemeral };
    X3dhRespond PeerIdentity: CK_X3DH_RESPOND_PARAMS { pInitiator_identity };
    X2RatchetInitialize PeerPrekey: CK_X2RATCHET_INITIALIZE_PARAMS { peer_public_prekey };
    X2RatchetInitialize PeerIdentity: CK_X2RATCHET_INITIALIZE_PARAMS { peer_public_identity };
    X2RatchetInitialize OwnIdentity: CK_X2RATCHET_INITIALIZE_PARAMS { own_public_identity };
    X2RatchetRespond OwnPrekey: CK_X2RATCHET_RESPOND_PARAMS { own_prekey };
    X2RatchetRespond PeerIdentity: CK_X2RATCHET_RESPOND_PARAMS { initiator_identity };
    X2RatchetRespond OwnIdentity: CK_X2RATCHET_RESPOND_PARAMS { own_public_identity };
    GostR3410KeyWrap OtherKey: CK_GOSTR3410_KEY_WRAP_PARAMS { hKey };
    Hkdf SaltKey: CK_HKDF_PARAMS { hSaltKey, ulSaltType = CKF_HKDF_SALT_KEY };
    Kip OtherKey: CK_KIP_PARAMS { hKey };
    IkePrfDerive OtherKey: CK_IKE_PRF_DERIVE_PARAMS { hNewKey, bRekey = YES };
    Ike1PrfDerive OtherKey: CK_IKE1_PRF_DERIVE_PARAMS { hKeygxy };
    Ike1PrfDerive PreviousKey: CK_IKE1_PRF_DERIVE_PARAMS { hPrevKey, bHasPrevKey = YES };
    Ike1ExtendedDerive OtherKey: CK_IKE1_EXTENDED_DERIVE_PARAMS { hKeygxy, bHasKeygxy = YES };
    Ike2PrfPlusDerive OtherKey: CK_IKE2_PRF_PLUS_DERIVE_PARAMS { hSeedKey, bHasSeedKey = YES };
};

/// Those that no structure of their own, or no field of the record, has.
const OTHERS: &[Place] = &[
    Place { shape: Shape::ObjectHandle, field: "OtherKey", made },
    Place {
        shape: Shape::Sp800108Kdf,
        field: "pDataParams",
        made: |handle| derivation(handle, size_of::<CK_SP800_108_KDF_PARAMS>()),
    },
    Place {
        shape: Shape::Sp800108FeedbackKdf,
        field: "pDataParams",
        made: |handle| derivation(handle, size_of::<CK_SP800_108_FEEDBACK_KDF_PARAMS>()),
    },
];

/// The parameter of a key derivation by SP 800-108 whose second piece of data is a key. Both structures begin alike.
fn derivation(handle: CK_OBJECT_HANDLE, length: usize) -> Made {
    struct Whole {
        feedback: CK_SP800_108_FEEDBACK_KDF_PARAMS,
        data: [CK_PRF_DATA_PARAM; 2],
        key: CK_OBJECT_HANDLE,
    }
    let none =
        CK_PRF_DATA_PARAM { type_: CK_SP800_108_BYTE_ARRAY, pValue: std::ptr::null_mut(), ulValueLen: 0 };
    let mut whole = Box::new(Whole { feedback: Default::default(), data: [none; 2], key: handle });
    whole.data[1] = CK_PRF_DATA_PARAM {
        type_: CK_SP800_108_KEY_HANDLE,
        pValue: (&raw mut whole.key).cast(),
        ulValueLen: size_of::<CK_OBJECT_HANDLE>() as CK_ULONG,
    };
    whole.feedback.ulNumberOfDataParams = 2;
    whole.feedback.pDataParams = whole.data.as_mut_ptr();
    let at = (&raw mut whole.feedback).cast();
    (whole, at, length)
}

/// `MODULE HIDDEN SHOWN`: each place inside a parameter with the hidden handle, the shown one, and the hidden one in a
/// parameter that says it is shorter: `SHAPE FIELD HIDDEN SHOWN SHORTER`, each `RV:CALLS:LAST`; for handles that a flag
/// beside them switches off, one line more without it.
pub(crate) fn inside(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let [hidden, shown] = numbers(&arguments[1..])[..] else { return };
    let Some(table) = module.table("3.2") else { return };
    let session = opened(&table);
    let seen = |shape: Shape, (_kept, at, length): Made| {
        let Some(outer) = mechanism::ALL.iter().find(|known| known.parameter == shape) else {
            return "-".into();
        };
        let mut frame = framed(session, outer.number, shown);
        (frame.mechanism.pParameter, frame.mechanism.ulParameterLen) = (at, length as CK_ULONG);
        measured(&table, first(outer), &mut frame).to_string()
    };
    for place in PLACES.iter().chain(OTHERS) {
        let shorter = |handle| {
            let (kept, at, length) = (place.made)(handle);
            (kept, at, length - 1)
        };
        let [hid, show] = [hidden, shown].map(|handle| seen(place.shape, (place.made)(handle)));
        let short = seen(place.shape, shorter(hidden));
        println!("{:?} {} {hid} {show} {short}", place.shape, place.field);
    }
    // Garbage where no handle is meant.
    let unused: [(Shape, Made); 4] = [
        (
            Shape::Hkdf,
            made(CK_HKDF_PARAMS { hSaltKey: hidden, ulSaltType: CKF_HKDF_SALT_DATA, ..Default::default() }),
        ),
        (Shape::Ike1PrfDerive, made(CK_IKE1_PRF_DERIVE_PARAMS { hPrevKey: hidden, ..Default::default() })),
        (
            Shape::Ike2PrfPlusDerive,
            made(CK_IKE2_PRF_PLUS_DERIVE_PARAMS { hSeedKey: hidden, ..Default::default() }),
        ),
        (Shape::IkePrfDerive, made(CK_IKE_PRF_DERIVE_PARAMS { hNewKey: hidden, ..Default::default() })),
    ];
    for (shape, made) in unused {
        println!("{shape:?} unused {}", seen(shape, made));
    }
    invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
}

/// `MODULE BARE`: the module with slot 7 hidden, which a session was opened in that did not go through it. Every function
/// with a slot or a session, then the list of slots on its three ways, and what is told of events.
pub(crate) fn slots(arguments: &[String]) {
    let [module, bare] = [0, 1].map(|place| Module::load(&arguments[place]));
    let Some(bare) = bare.table("2.40") else { return };
    let session = opened(&bare);
    for way in WAYS {
        let Some(table) = module.table(way) else { continue };
        let closing = [Function::C_Finalize, Function::C_CloseSession];
        for function in Function::ALL.iter().copied().filter(|function| offers(&table, *function)) {
            let takes = |kind| arguments_of(function, kind).next();
            let Some(argument) = takes("CK_SLOT_ID").or_else(|| takes("CK_SESSION_HANDLE")) else { continue };
            if !closing.contains(&function) {
                let seen = measured(&table, function, &mut Frame::new(session, PLAIN));
                println!("{way} {} {argument} {seen}", function.name());
            }
        }
        let Some((list, wait)) = table.C_GetSlotList.zip(table.C_WaitForSlotEvent) else { continue };
        let mut room = [99; 4];
        // SAFETY: places for what is asked.
        unsafe {
            let mut count = 9;
            let rv = list(CK_TRUE, std::ptr::null_mut(), &mut count);
            print!("{way} list sized={rv:#x},{count}");
            let rv = list(CK_TRUE, room.as_mut_ptr(), &mut count);
            println!(" filled={rv:#x},{count},{}", room[0]);
            let mut slot = 99;
            let rv = wait(CKF_DONT_BLOCK, &mut slot, std::ptr::null_mut());
            println!("{way} event={rv:#x},{slot}");
        }
    }
    if let Some(table) = module.table("2.40") {
        println!("closed {}", measured(&table, Function::C_CloseSession, &mut Frame::new(session, PLAIN)));
    }
    invoke(&bare, Function::C_Finalize, &mut Frame::new(0, 0));
}
